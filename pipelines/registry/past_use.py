"""What each workflow used of a metric in the past, as the published build says it.

How use is weighed belongs in `allocation`. Calls of which the metric is not known are counted apart, never as zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pipelines.errors import JevonsError
from pipelines.snapshot import Snapshot

_BOUNDED = "{0} is null and {0}_high is not null"  # only bounded; what is metered elsewhere has neither
_UNTOLD = "{0} is null and call_count > 0"
_TOKENS = "+".join(f"coalesce({name}_tokens, 0)" for name in ("input", "cached_input", "cache_write_input", "output"))
_TOLD_TOKENS = "coalesce(input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens)"
# By metric: its sum over rows of the ledger, and which rows are unknown.
_SUMS = {
    "energy_kwh": ("sum(energy_kwh)", _BOUNDED.format("energy_kwh")),
    "location_kgco2e": ("sum(location_gco2e) * 0.001", _BOUNDED.format("location_gco2e")),
    "market_kgco2e": ("sum(market_gco2e) * 0.001", _BOUNDED.format("market_gco2e")),
    "requests": ("sum(call_count)", "false"),
    "tokens": (f"sum(case when {_TOLD_TOKENS} is not null then {_TOKENS} end)", _UNTOLD.format(_TOLD_TOKENS)),
    "gpu_hours": ("(sum(gpu_seconds)::hugeint * 1000000000 + 1800) // 3600 * 0.000000001", "false"),
    "cost_usd": ("sum(cost_usd)", _UNTOLD.format("cost_usd")),
}


@dataclass(frozen=True)
class Use:
    """What one workflow used.

    Attributes:
        quantity: In the unit of the metric, of what is known; None where nothing is known of its calls.
        unknown_calls: Calls of which it is not known.
    """

    quantity: Decimal | None
    unknown_calls: int


@dataclass(frozen=True)
class PastUse:
    """What the build says.

    Attributes:
        first, end: The days, `end` exclusive.
        missing_days: Days among them of which the build holds nothing at all.
        workflows: Those that the build knows of, by id; without a call, they used nothing.
    """

    build_id: str
    first: date
    end: date
    missing_days: int
    workflows: Mapping[str, Use]


def past_use(
    snapshot: Snapshot, metric: str, period_start: date, period_end: date, days: int | None = None
) -> PastUse:
    """Reads the use of the last days, or of the last whole period that is as long as the given one.

    Args:
        days: So many days up to the last one of the build; None for the period.

    Raises:
        JevonsError: the build does not hold the whole of them.
    """
    first_day, last_day = _one(snapshot, "select min(usage_date), max(usage_date) from fct_footprint_daily")
    if first_day is None:
        raise JevonsError(
            "Past use is not known", f"build {snapshot.build_id}", "it holds no day", "run `jevons materialize` first")
    if days is not None:
        first, end = last_day - timedelta(days=days - 1), last_day + timedelta(days=1)
    else:
        first, end = period_start, period_end
        months = (end.year - first.year) * 12 + end.month - first.month
        while end > last_day + timedelta(days=1):
            first, end = _earlier(first, months), first
    if first < first_day:
        raise JevonsError(
            "Past use is not known of the whole time", f"build {snapshot.build_id}",
            f"it holds {first_day} to {last_day}, and {first} to before {end} was asked for",
            f"give --days {(last_day - first_day).days + 1} or less",
        )
    total, unknown = _SUMS[metric]
    table = snapshot.query(
        f"""
        with used as (
            select
                workflow_id, cast({total} as decimal(38, 9)) as quantity,
                coalesce(sum(case when {unknown} then call_count end), 0)::bigint as unknown_calls,
                coalesce(sum(call_count), 0)::bigint as calls
            from fct_footprint_daily where usage_date >= ? and usage_date < ? group by workflow_id
        )
        select workflow_id, quantity, unknown_calls, calls
        from dim_workflow left join used using (workflow_id) where status <> 'undeclared'
        """, [first, end],
    )
    present, = _one(snapshot, "select count(distinct usage_date) from fct_footprint_daily where usage_date >= ?"
                    " and usage_date < ?", [first, end])
    return PastUse(
        snapshot.build_id, first, end, (end - first).days - present,
        {row["workflow_id"]: _use(row["quantity"], row["unknown_calls"], row["calls"]) for row in table.to_pylist()},
    )


def _use(quantity: Decimal | None, unknown_calls: int | None, calls: int | None) -> Use:
    if not calls:
        return Use(quantity or Decimal(0), 0)
    return Use(None if not quantity and unknown_calls == calls else quantity, unknown_calls)


def _one(snapshot: Snapshot, sql: str, values: list | None = None) -> list:
    row, = snapshot.query(sql, values or []).to_pylist()
    return list(row.values())


def _earlier(day: date, months: int) -> date:
    """The first of a month, so many months before."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)
