"""What vendors answered to six questions, and their month in the ledger.

What does not belong here: the verdict, which is made by the mart.
"""

import pandas

from dashboards.book import Book


def answers(book: Book) -> pandas.DataFrame:
    """Each vendor's answer to each question, unanswered ones included; the vendor of most energy first."""
    return book.ask(
        """
        select vendor_id, is_registered, vendor_name, providers, question, question_number, state, answer_text,
            evidence_title, evidence_address, answered_on_date, answer_age_days_count::bigint as age_days, verdict,
            yes_count::bigint as yes_count, as_of_date, call_count::bigint as calls,
            coverage_ratio::double as coverage_ratio, energy_kwh_low::double as energy_kwh_low,
            energy_kwh::double as energy_kwh, energy_kwh_high::double as energy_kwh_high,
            energy_ratio::double as energy_share, cost_usd::double as cost_usd
        from fct_vendor_register as register
        order by register.energy_kwh desc nulls last, calls desc, vendor_id, is_registered, question_number
        """
    )
