"""Made-up rows for the marts behind the pages Levy and Vendors; their tables have the columns of the contracts.

What does not belong here: assertions, and the ledger itself, which stands in `fixture_marts`.
"""

from datetime import date, timedelta

import fixture_evidence

MARTS = ["fct_levy_posting", "fct_vendor_register"]
QUESTIONS = ("workload_behind_claim", "baseline", "reporting_by_task", "hard_budgets", "small_model_routing",
             "background_off")  # fmt: skip
# levy, kind, perimeter, currency, price of a tonne
FEE = ("org-fee", "fee", "organisation", "organisation", "EUR", 80)
FRANCS = ("legal-fee", "fee", "team", "legal", "CHF", 100)
SHADOW = ("digital-shadow", "shadow", "unit", "digital", "EUR", 300)


def fill(connection, first_day: date, days: int, hostile_name: str, hostile_text: str) -> None:
    """Create the tables as their contracts say; with days, also fill them.

    Each month: claims 60 kg, the hostile team 50, nobody 10 at 80 EUR a tonne; legal 20 kg at its own 100 CHF; the
    carbon of search is unknown. A shadow price of 300 EUR on the hostile team's unit. One use of 3.30 EUR.
    """
    rows = {name: [] for name in MARTS}
    if days:
        last = first_day + timedelta(days=days - 1)
        months = fixture_evidence.months(first_day, last)
        rows["fct_levy_posting"] = [row for month in months for row in _month(month)]
        rows["fct_levy_posting"] += _use(last, hostile_text)
        rows["fct_vendor_register"] = list(_vendors(last, hostile_name, hostile_text))
    for name in MARTS:
        types = fixture_evidence.contract(name)
        connection.execute(f"create table {name} ({', '.join(f'{key} {kind}' for key, kind in types.items())})")
        for row in rows[name]:
            marks = ", ".join("?" * len(row))
            connection.execute(f"insert into {name} ({', '.join(row)}) values ({marks})", list(row.values()))


def _shared(month, levy):
    levy_id, kind, place, of, currency, price = levy
    return {"usage_month": month, "levy_id": levy_id, "levy_kind": kind, "perimeter_type": place, "perimeter_id": of,
            "currency": currency, "basis": "location_kgco2e", "price_per_tonne": price, "adopted_by": "Board",
            "restated_day_count": int(month.month == 7)}  # fmt: skip


def _month(month):
    for levy, team, kg in ((FEE, "claims", 60), (FEE, "hostile", 50), (FEE, "orphan", 10), (FRANCS, "legal", 20),
                           (SHADOW, "hostile", 50)):  # fmt: skip
        shared = {**_shared(month, levy), "team_id": team}
        amount, fee = kg * levy[-1] / 1000, levy[1] == "fee"
        cost = "shadow_cost" if not fee else "perimeter_expense" if team == "orphan" else "team_expense"
        yield {**shared, "account": cost, "debit_amount": amount, "credit_amount": 0, "amount_high": amount * 4,
               "basis_kgco2e_low": kg / 2, "basis_kgco2e": kg, "basis_kgco2e_high": kg * 4, "day_count": 30,
               "evidence": "ledger, evidence of tier 4"}  # fmt: skip
        yield {**shared, "account": "levy_fund" if fee else "shadow_contra", "debit_amount": 0, "credit_amount": amount}
    yield {**_shared(month, FEE), "team_id": "search", "account": "not_posted", "gap_reason": "no_factor",
           "amount_high": 25, "basis_kgco2e_high": 312.5}  # fmt: skip


def _use(day, hostile_text):
    shared = {**_shared(day.replace(day=1), FEE), "use_id": "u1", "used_on_date": day, "purpose": hostile_text,
              "approved_by": "Board", "evidence": "Minutes 4"}  # fmt: skip
    return [
        {**shared, "account": "levy_fund", "debit_amount": 3.3, "credit_amount": 0},
        {**shared, "account": "proceeds_used", "debit_amount": 0, "credit_amount": 3.3},
    ]


def _vendors(last, hostile_name, hostile_text):
    whole = {"is_registered": True, "vendor_id": "fair", "vendor_name": "Fair", "providers": "p q", "call_count": 1200,
             "verdict": "answers all six", "yes_count": 6, "coverage_ratio": 1, "energy_kwh_low": 2, "energy_kwh": 4,
             "energy_kwh_high": 9, "energy_ratio": 0.4, "cost_usd": 12.5}  # fmt: skip
    said = {"is_registered": True, "vendor_id": "loud", "vendor_name": hostile_name, "providers": "loud",
            "call_count": 30, "verdict": "a cheaper meter", "yes_count": 0, "coverage_ratio": 0,
            "energy_kwh_high": 7}  # fmt: skip
    new = {"is_registered": False, "vendor_id": "acme", "vendor_name": "acme", "providers": "acme", "call_count": 0,
           "verdict": "not asked", "yes_count": 0}  # fmt: skip
    for number, question in enumerate(QUESTIONS, start=1):
        shared = {"question": question, "question_number": number, "as_of_date": last}
        answered = {"answered_on_date": last - timedelta(days=20), "answer_age_days_count": 20,
                    "answer_text": "It is so"}  # fmt: skip
        yield {**whole, **shared, **answered, "state": "yes", "answer": "yes", "evidence_title": "Annex 2",
               "evidence_address": "https://fair.example/2"}  # fmt: skip
        boast = {**answered, "state": "said, not shown", "answer": "yes", "answer_text": hostile_text}
        yield {**said, **shared, **(boast if question == "baseline" else {"state": "unanswered"})}
        yield {**new, **shared, "state": "not asked"}
