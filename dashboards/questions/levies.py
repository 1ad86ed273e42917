"""What carbon costs inside the organisation: who owes what, what came into each fund and what was used of it.

What does not belong here: sums over currencies, or of fees with shadow prices.
"""

import pandas

from dashboards.book import Book

# Who adopted a levy, by name; for statements in which the columns of `posting` are not ambiguous.
_NAMED = """
    left join dim_team as place on posting.perimeter_type = 'team' and place.team_id = posting.perimeter_id
    left join (select unit_id, max(unit_name) as unit_name from dim_team group by unit_id) as units
        on posting.perimeter_type = 'unit' and units.unit_id = posting.perimeter_id
    left join dim_workflow as flow on posting.perimeter_type = 'workflow' and flow.workflow_id = posting.perimeter_id
"""
_NAME = """case posting.perimeter_type when 'organisation' then 'Organisation'
    else coalesce(place.team_name, units.unit_name, flow.workflow_name, posting.perimeter_id) end"""


def _most(bound: str) -> str:
    """What is not posted, at most: under the fee, else under the shadow price; unknown if a part has no bound."""
    return f"""case when count(*) filter (account = 'not_posted' and {bound} is null) = 0 then coalesce(
        sum({bound}) filter (account = 'not_posted' and levy_kind = 'fee'),
        sum({bound}) filter (account = 'not_posted')) end"""


def owed(book: Book) -> pandas.DataFrame:
    """What each team owes in each month that the days shown touch, by currency; fee and shadow price apart."""
    return book.ask(
        f"""
        select usage_month, posting.team_id, coalesce(team.team_name, posting.team_id) as team_name, currency,
            sum(debit_amount) filter (levy_kind = 'fee')::double as fee,
            sum(amount_high) filter (levy_kind = 'fee' and account <> 'not_posted')::double as fee_high,
            {_most('amount_high')}::double as unposted_high,
            sum(basis_kgco2e_low) filter (levy_kind = 'fee')::double as fee_kgco2e_low,
            sum(basis_kgco2e) filter (levy_kind = 'fee')::double as fee_kgco2e,
            sum(basis_kgco2e_high) filter (levy_kind = 'fee' and account <> 'not_posted')::double as fee_kgco2e_high,
            {_most('basis_kgco2e_high')}::double as unpriced_kgco2e_high,
            count(*) filter (account = 'not_posted') as unpriced,
            sum(debit_amount) filter (levy_kind = 'shadow')::double as shadow,
            sum(basis_kgco2e) filter (levy_kind = 'shadow')::double as shadow_kgco2e,
            string_agg(distinct gap_reason, ', ' order by gap_reason) as gap_reasons,
            max(restated_day_count)::bigint as restated_days
        from fct_levy_posting as posting
        left join dim_team as team on team.team_id = posting.team_id
        where {{months}} and use_id is null and account not in ('levy_fund', 'shadow_contra')
        group by all
        order by usage_month desc, fee desc nulls last, shadow desc nulls last, posting.team_id
        """
    )


def prices(book: Book) -> pandas.DataFrame:
    """Each levy that priced anything in these months, with its carbon and its amount."""
    return book.ask(
        f"""
        select levy_id, levy_kind, {_NAME} as perimeter_name, basis, price_per_tonne::double as price_per_tonne,
            currency, adopted_by, min(usage_month) as first_month, max(usage_month) as last_month,
            sum(basis_kgco2e)::double as kgco2e, sum(debit_amount)::double as amount
        from fct_levy_posting as posting {_NAMED}
        where {{months}} and use_id is null and account not in ('levy_fund', 'shadow_contra')
        group by all
        order by levy_kind, perimeter_name, first_month, levy_id
        """
    )


def funds(book: Book) -> pandas.DataFrame:
    """Each fund of the whole build: paid in, used, left."""
    return book.ask(
        f"""
        select {_NAME} as perimeter_name, currency, sum(credit_amount)::double as paid_in,
            sum(debit_amount)::double as used, (sum(credit_amount) - sum(debit_amount))::double as remaining
        from fct_levy_posting as posting {_NAMED}
        where account = 'levy_fund'
        group by all
        order by paid_in desc, perimeter_name, currency
        """
    )


def uses(book: Book) -> pandas.DataFrame:
    """What funds were used for, the newest first."""
    return book.ask(
        f"""
        select used_on_date, {_NAME} as perimeter_name, debit_amount::double as amount, currency, purpose, approved_by,
            evidence, use_id, levy_id
        from fct_levy_posting as posting {_NAMED}
        where use_id is not null and account = 'levy_fund'
        order by used_on_date desc, use_id
        """
    )


def postings(book: Book) -> pandas.DataFrame:
    """Every posting of these months."""
    return book.ask(
        """
        select usage_month, levy_id, account, coalesce(team_id, use_id) as party, debit_amount::double as debit,
            credit_amount::double as credit, currency, basis_kgco2e::double as kgco2e, price_per_tonne::double as price,
            gap_reason, evidence
        from fct_levy_posting
        where {months}
        order by usage_month, levy_id, party, account, gap_reason
        """
    )
