"""Sentences about what is not known: calls without a factor, days that are missing, days that were restated.

What does not belong here: HTML and SQL. A gap is named with its size, and never as zero.
"""

from collections.abc import Iterator

import pandas

from pipelines import units

_REASONS = {"no_factor": "no known factor", "no_meter": "no meter reads its hardware"}


def gaps(frame: pandas.DataFrame) -> Iterator[str]:
    """One sentence for each model whose energy is not known."""
    for row in frame.itertuples():
        reason = "reason unknown" if units.is_unknown(row.gap_reason) else str(row.gap_reason)
        reason = _REASONS.get(reason, reason.replace("_", " "))
        model = "an unnamed model" if units.is_unknown(row.model_id) else row.model_id.removeprefix("hardware/")
        most = "" if units.is_unknown(row.energy_kwh_high) else f" (at most {units.energy(row.energy_kwh_high)})"
        yield f"{_work(row.calls, row.gpu_seconds)} of {model}: {reason}; energy unknown, not zero{most}"


def _work(calls: int, gpu_seconds: int) -> str:
    """Calls, or the time of hardware that nobody calls."""
    if calls:
        return units.count(calls, "call" if calls == 1 else "calls")
    for seconds, unit in ((3600, "GPU hours"), (60, "GPU minutes"), (1, "GPU seconds")):
        if gpu_seconds >= 2 * seconds:
            return units.count(round(gpu_seconds / seconds), unit)
    return "Work"


def missing_days(frame: pandas.DataFrame) -> Iterator[str]:
    """One sentence for each source that lacks days."""
    for source, rows in frame.groupby("source"):
        lacking = int((rows["expected"] - rows["received"]).sum())
        tables = "1 daily table" if lacking == 1 else f"{lacking} daily tables"
        yield f"{source}: {tables} not received ({_days(rows)}); what happened then is unknown, not zero"


def weeks_lacking(frame: pandas.DataFrame) -> str:
    """Name the weeks whose totals lack a source's table, after a blank; nothing if there is none."""
    days = [pandas.Timestamp(day) for day in sorted(set(frame["usage_date"]))]
    mondays = sorted({day - pandas.Timedelta(days=day.day_of_week) for day in days})
    if not mondays:
        return ""
    shown = ", ".join(units.day(monday) for monday in mondays[:3]) + (" and others" if len(mondays) > 3 else "")
    return f" Tables of a source are missing in the {'week' if len(mondays) == 1 else 'weeks'} of {shown}; see below."


def restated(frame: pandas.DataFrame) -> Iterator[str]:
    """One sentence for each source that changed a past day; the request count is told where there is one."""
    for source, rows in frame.groupby("source"):
        requests = rows[rows["quantity"].isin(["num_model_requests", "call_count"])]
        counted = ""
        if len(requests):
            before, now = (units.count(requests[name].sum(), "calls") for name in ("before_total", "now_total"))
            counted = f": {before} became {now}"
        names = ", ".join(sorted(set(rows["table_name"])))
        yield (
            f"{source} restated {_days(rows)} ({names}){counted}; the figures follow the newest version, "
            "the earlier one is kept"
        )


def _days(rows: pandas.DataFrame) -> str:
    days = [units.day(value) for value in sorted(set(rows["usage_date"]))]
    return ", ".join(days[:3]) + (f" and {len(days) - 3} more days" if len(days) > 3 else "")
