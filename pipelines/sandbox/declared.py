"""What the sandbox organisation declared beside who owns what: its carbon price, and what its vendors answered.

Teams, rules and ceilings belong in ownership.py. Prices and vendors are invented: the resellers named here exist
nowhere, and no provider whose models they sell has answered anything.
"""

from datetime import date

_BOARD, _UNIT = "Executive Board", "Unit management"
_RISE = date(2026, 7, 15)
_ORGANISATION = ("organisation", "organisation", "location_kgco2e")

LEVY_COLUMNS = ("levy_id", "levy_kind", "perimeter_type", "perimeter_id", "basis", "price_per_tonne", "currency",
                "adopted_by", "valid_from", "valid_to")
LEVIES = (
    ("org-fee-2026", "fee", *_ORGANISATION, "80", "EUR", _BOARD, date(2026, 1, 1), _RISE),
    ("org-fee-2026-07", "fee", *_ORGANISATION, "120", "EUR", _BOARD, _RISE, None),
    ("org-shadow-2026", "shadow", *_ORGANISATION, "150", "EUR", _BOARD, date(2026, 1, 1), None),
    # stricter than the organisation's, which then does not count there
    ("technology-shadow-2026", "shadow", "unit", "technology", "location_kgco2e", "300", "EUR", _UNIT,
     date(2026, 1, 1), None),
)

USE_COLUMNS = ("use_id", "levy_id", "used_on_date", "amount", "purpose", "approved_by", "evidence")
USES = (
    ("use-2026-08", "org-fee-2026", date(2026, 8, 12), "45.00", "A socket meter for the second rack", _BOARD,
     "Minutes of 10 August 2026, item 4; invoice 2026-0817"),
)

VENDOR_COLUMNS = ("vendor_id", "vendor_name", "providers")
VENDORS = (
    ("meridian", "Meridian Model Resale (invented)", "openai"),
    ("acme", "Acme Models (invented)", "acme"),
    ("common-ground", "Common Ground Inference (invented)", "cohere mistralai"),
)

ANSWER_COLUMNS = ("answer_id", "vendor_id", "question", "answer", "answer_text", "evidence_title", "evidence_address",
                  "answered_on_date")
_FIRST = date(2026, 6, 15)
_COMMON = "https://common-ground.example/"
_GIVEN = (
    ("meridian", "workload_behind_claim", "no", "The saving is told per token", None, None),
    ("meridian", "baseline", "partly", "A mean of the year before, without its range", "Sales deck, page 14", None),
    ("meridian", "reporting_by_task", "yes", "Usage by project and key, daily", "Contract, annex 2", None),
    ("meridian", "hard_budgets", "yes", "A project stops at its limit", None, None),
    ("meridian", "small_model_routing", "yes", "A router can be told a floor of quality", "Service description 3.1",
     None),
    ("acme", "workload_behind_claim", "no", "A trade secret", None, None),
    ("acme", "baseline", "yes", "A hundred times less energy than before", None, None),
    ("common-ground", "workload_behind_claim", "yes", "The prompts, their lengths and the batch size",
     "Measurement report 2026", _COMMON + "report-2026"),
    ("common-ground", "baseline", "yes", "The same prompts on the model of the year before", "Measurement report 2026",
     _COMMON + "report-2026"),
    ("common-ground", "reporting_by_task", "yes", "Energy by tag of the caller, hourly", "Interface reference",
     _COMMON + "usage"),
    ("common-ground", "hard_budgets", "yes", "Calls of a tag are refused at its limit", "Contract, clause 9", None),
    ("common-ground", "small_model_routing", "yes", "Routes are set by the customer", "Interface reference",
     _COMMON + "routes"),
    ("common-ground", "background_off", "yes", "Nothing runs that no tag has asked for", "Contract, clause 11", None),
)
ANSWERS = tuple(
    (f"answer-{number:02d}", *answer, _FIRST) for number, answer in enumerate(_GIVEN, start=1)
)

FILES = {
    "levies": (LEVY_COLUMNS, LEVIES), "levy_uses": (USE_COLUMNS, USES), "vendors": (VENDOR_COLUMNS, VENDORS),
    "vendor_answers": (ANSWER_COLUMNS, ANSWERS),
}
