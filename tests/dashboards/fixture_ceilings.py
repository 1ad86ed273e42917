"""Made-up ceilings: positions cumulated from the made-up footprint, what stops next, adopted and refused ones.

What does not belong here: assertions, and the ledger itself, which stands in `fixture_marts`.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal

from fixture_evidence import contract, insert

LATER = ["dim_ceiling", "fct_ceiling_step", "fct_refused_attempt"]  # an earlier version has not made them
MARTS = ["fct_ceiling_position_daily", *LATER]
START, END = date(2026, 6, 1), date(2026, 9, 1)
HOSTILE_REASON = "=1+1 <img src=x onerror=alert(5)>"
_DAYS = (END - START).days
# Perimeter, metric and the share of the first quarter's use that the limit allows: some hold, some do not.
_CEILINGS = (
    ("organisation", "organisation", "energy_kwh", "0.995"),
    ("organisation", "organisation", "location_kgco2e", "1.06"),
    ("organisation", "organisation", "requests", "1.30"),
    ("team", "hostile", "energy_kwh", "0.62"),
    ("team", "search", "requests", "0.97"),
    ("team", "claims", "energy_kwh", "1.50"),
)
_USED = {
    "energy_kwh": ("energy_kwh_low", "energy_kwh", "energy_kwh_high"),
    "location_kgco2e": ("energy_kwh_low * 0.21", "location_gco2e / 1000", "energy_kwh_high * 0.21"),
    "requests": ("call_count", "call_count", "call_count"),
}


def fill(connection, first_day: date, days: int) -> None:
    """Create the tables as their contracts say; with days, also fill them."""
    for name in MARTS:
        columns = ", ".join(f"{key} {kind}" for key, kind in contract(name).items())
        connection.execute(f"create table {name} ({columns})")
    if not days:
        return
    limits = {}
    for number, (perimeter, perimeter_id, metric, allowed) in enumerate(_CEILINGS):
        place = {"ceiling_id": f"c{number}", "perimeter_type": perimeter, "perimeter_id": perimeter_id,
                 "metric": metric, "period_start": START, "period_end": END}  # fmt: skip
        rows = list(_positions(connection, place, Decimal(allowed)))
        limits[f"c{number}"] = {**place, "limit_quantity": rows[-1]["limit_quantity"]}
        insert(connection, "fct_ceiling_position_daily", rows)
    insert(connection, "dim_ceiling", [
        {**place, "adopted_by": "Executive Board", "adopted_at_utc": datetime(2026, 5, 18, 9), "reason": HOSTILE_REASON,
         "evidence": "Minutes 14" if place["ceiling_id"] == "next" else None}
        for place in (*limits.values(), {**limits["c2"], "ceiling_id": "next", "period_start": END,
                                         "period_end": date(2026, 12, 1)})
    ])  # fmt: skip
    insert(connection, "fct_ceiling_step", list(_steps(limits, first_day + timedelta(days=days - 1))))
    insert(connection, "fct_refused_attempt", list(_refused(limits["c0"])))


def _positions(connection, place, allowed):
    """Cumulate the daily use and forecast it, and its ends, with the mean of all days so far."""
    where = "true" if place["perimeter_type"] == "organisation" else f"team_id = '{place['perimeter_id']}'"
    sums = ", ".join(f"sum({column})" for column in _USED[place["metric"]])
    daily = connection.execute(
        f"select usage_date, {sums} from fct_footprint_daily where {where} group by 1 order by 1"
    ).fetchall()
    # The limit is a share of what would be used if every day were like the mean of these days.
    total = sum((row[2] or 0) for row in daily) / len(daily) * _DAYS
    limit = Decimal(round(Decimal(total) * allowed, -1 if total < 10000 else -3)) or Decimal(100)
    used, passed = [Decimal(0)] * 3, [None] * 3
    for number, (usage_date, *values) in enumerate(daily, start=1):
        unknown = values[1] is None
        used = [so_far + Decimal(value or 0) for so_far, value in zip(used, values, strict=True)]
        low, forecast, high = (amount / number * _DAYS for amount in used)
        meets = [_meets(limit, amount / number) for amount in used]
        passed = [day or (usage_date if amount > limit else None) for day, amount in zip(passed, used, strict=True)]
        latest, expected, earliest = (day or ahead for day, ahead in zip(passed, meets, strict=True))
        status = (
            "exceeded" if used[1] > limit else "on course to exceed" if forecast > limit
            else "undecided" if high > limit else "within"
        )  # fmt: skip
        quantities = {
            "used_quantity": used[1], "used_low": used[0], "used_high": used[2], "used_ratio": used[1] / limit,
            "forecast_quantity": forecast, "forecast_low": low, "forecast_high": high,
        }  # fmt: skip
        yield {
            **place, "usage_date": usage_date, "limit_quantity": limit,
            **({} if unknown else quantities), "exhaustion_date": expected, "exhaustion_date_low": earliest,
            "exhaustion_date_high": latest, "exceeded_since_date": passed[1],
            "breach_probability": None if unknown else int(forecast > limit),
            "status": "undecided" if unknown else status,
        }  # fmt: skip


def _meets(limit, pace):
    """First day on which an even pace has used the limit; None where the period ends before."""
    day = START + timedelta(days=int(limit / pace)) if pace else END
    return day if day < END else None


def _steps(limits, as_of):
    """Calls of the organisation: comfort is slowed since 15 August; useful work stops with the quarter's last days."""
    shared = {"as_of_date": as_of, "unknown_workflow_count": 0, "workflow_count": 0, "is_reached": False,
              "rule_perimeter_type": "organisation", "rule_perimeter_id": "organisation"}  # fmt: skip
    for ceiling in limits.values():
        place = {name: ceiling[name] for name in ("ceiling_id", "perimeter_type", "perimeter_id", "metric")}
        for usefulness in ("useful", "comfort", "experimental"):
            yield {**shared, **place, "usefulness_class": usefulness, "action": "stop", "from_ratio": 1,
                   "from_quantity": ceiling["limit_quantity"]}  # fmt: skip
    calls = limits["c2"]
    place = {name: calls[name] for name in ("ceiling_id", "perimeter_type", "perimeter_id", "metric")}
    ruled = {**shared, **place, "workflow_count": 2, "from_ratio": 0.5,
             "from_quantity": calls["limit_quantity"] / 2}  # fmt: skip
    yield {**ruled, "usefulness_class": "comfort", "action": "slow", "gate_rule_id": "slow-comfort",
           "is_reached": True, "begins_date_low": date(2026, 8, 15), "begins_date": date(2026, 8, 15),
           "begins_date_high": date(2026, 8, 15),
           "workflow_names": "Bildtexte <b>neu</b>, Review summaries", "touched_quantity": 1000,
           "touched_ratio": 0.2}  # fmt: skip
    yield {**ruled, "usefulness_class": "useful", "action": "batch", "gate_rule_id": "batch-useful", "from_ratio": 0.9,
           "begins_date_low": date(2026, 8, 30), "begins_date": date(2026, 8, 31), "workflow_count": 1,
           "workflow_names": "Refund agent", "unknown_workflow_count": 1}  # fmt: skip


def _refused(ceiling):
    scope = {name: ceiling[name] for name in ("ceiling_id", "perimeter_type", "perimeter_id", "metric")}
    scope |= {"period_start": "2026-06-01", "period_end": "2026-09-01", "fix": "lower it",
              "attempted_at_utc": datetime(2026, 8, 3, 14, 5, 6)}  # fmt: skip
    yield {**scope, "attempt_id": 1, "path": "command", "limit_quantity": "9000.000000000", "field": "limit_quantity",
           "rule": "9000 is above the limit that stands"}  # fmt: skip
    yield {**scope, "attempt_id": 2, "path": "sql", "statement": "delete", "limit_quantity": "100",
           "rule": "the registry is append-only"}  # fmt: skip
    yield {"attempt_id": 3, "path": "import", "attempted_at_utc": datetime(2026, 8, 4), "rule": HOSTILE_REASON,
           "limit_quantity": "=2+2", "field": "limit_quantity"}  # fmt: skip
