"""Sentences about what is not known: calls without a factor, days that are missing, days that were restated.

What does not belong here: HTML and SQL. A gap is named with its size, and never as zero.
"""

from collections.abc import Iterator
from typing import Any

import pandas

from pipelines import units

_REASONS = {
    "no_factor": "no known factor",
    "no_meter": "no meter reads its hardware",
    "no_rule": "its factor has no rule for this kind of work",
}
_QUANTITIES = {
    "call_count": "calls",
    "input_tokens": "input tokens",
    "output_tokens": "output tokens",
    "cost_usd": "cost",
}
_CAUSES = {
    "counted_twice": "counted twice: the provider has no system of record, and both are booked",
    "missing_day": "one of the two delivered nothing",
    "not_told": "one of the two does not state this quantity",
    "partial": "one of the two delivered only some of its tables",
    "late": "fetched so soon that the vendor may still restate it",
    "counted_otherwise": "the calls agree, this is counted otherwise",
    "unseen_keys": "keys that the other source never names",
    "bypassed": "calls that went past the other source, under keys that it knows",
    "unexplained": "unexplained: the other source saw more",
}

_METER_CAUSES = {
    "meter_not_read": "the meter was not read for a whole hour",
    "meter_below_counters": "the meter reads less than the counters behind it",
    "gpus_not_read": "some GPUs behind it were not read",
    "host_share": "the usual share of a host is not this host's",
    "unlisted_equipment": "the site uses more than the hosts that are known",
    "overhead": "cooling and power conversion take less than assumed",
}
_BOUNDARIES = {"it": "what computes", "facility": "with cooling and power conversion"}


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
        return units.counted(calls, "call")
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


def cause(name: str | None) -> str:
    """Say why two accounts differ."""
    return "unknown" if units.is_unknown(name) else _CAUSES.get(name, name.replace("_", " "))


def account(row: Any) -> str:
    """Name an account by provider and quantity."""
    return f"{row.provider}: {_QUANTITIES.get(row.quantity, row.quantity.replace('_', ' '))}"


def pair(row: Any) -> str:
    """Name the two sources of an account, the one that is booked first."""
    return f"{row.of_record_source} (booked) against {row.other_source}"


def reconciliation_finding(accounts: pandas.DataFrame, gaps: pandas.DataFrame) -> str:
    """Say how many accounts have an open gap, and which of them is the oldest."""
    many = units.counted(len(accounts), "account")
    current = gaps[gaps["is_open"].astype(bool) & (gaps["cause"] != "not_told")]
    if current.empty:
        agreed, days = accounts["agreed_days"].sum(), accounts["days"].sum()
        return f"No gap is open between {many} of vendors' use; {units.percent(agreed / days, 0)} of days agreed"
    oldest = current.iloc[0]
    return (
        f"{len(current)} of {many} of vendors' use {'has' if len(current) == 1 else 'have'} an open gap; "
        f"the oldest, {account(oldest)}, since {units.day(oldest.opened_date)}"
    )


def delivered(row: Any) -> str:
    """Whether a source delivered all, in part or none of what was expected on a day."""
    wanted = [row.expected_tables, row.expected_account_count]
    got = [row.received_tables, row.received_account_count]
    pairs = [(has, of) for has, of in zip(got, wanted, strict=True) if not units.is_unknown(of) and of]
    if all((0 if units.is_unknown(has) else has) >= of for has, of in pairs):
        return "all"
    return "none" if not row.received_tables else "in part"


def delivery(row: Any) -> str:
    """Say what a source delivered on a day, such as 4 of 5 tables, 11 of 12 accounts."""
    text = f"{units.count(row.received_tables)} of {units.counted(row.expected_tables, 'table')}"
    if units.is_unknown(row.expected_account_count):
        return text
    heard = 0 if units.is_unknown(row.received_account_count) else row.received_account_count
    return f"{text}, {units.count(heard)} of {units.counted(row.expected_account_count, 'account')}"


def delivery_finding(by_source: pandas.DataFrame) -> str:
    """Say how much of what was expected was delivered."""
    lacking = by_source[by_source["received_tables"] < by_source["expected_tables"]]
    if lacking.empty:
        many = units.counted(len(by_source), "source")
        return f"Every daily table of {many} was delivered"
    missing = int((lacking["expected_tables"] - lacking["received_tables"]).sum())
    names = ", ".join(lacking["source"])
    return f"{units.counted(missing, 'daily table was', 'daily tables were')} not delivered: {names}"


def meter(row: Any) -> str:
    """Name a meter by its machine, or by the whole site."""
    return f"{row.site_id}: whole site" if units.is_unknown(row.host) else f"{row.site_id}: {row.host}"


def boundary(name: str | None) -> str | None:
    """Say what a meter holds."""
    return None if units.is_unknown(name) else _BOUNDARIES.get(name, name)


def meter_cause(name: str | None) -> str:
    """Say why a meter and the counters behind it differ."""
    return "within tolerance" if units.is_unknown(name) else _METER_CAUSES.get(name, name.replace("_", " "))


def agreed(row: Any) -> str:
    """On how many of the compared days two accounts agreed."""
    return f"{row.agreed_days} of {units.counted(row.days, 'day')} agreed"


def meter_finding(meters: pandas.DataFrame) -> str:
    """Say how many meters have an open gap, and since when the oldest is there."""
    many = units.counted(len(meters), "meter")
    current = meters[meters["cause"].notna()]
    if current.empty:
        return f"{many} {'agrees' if len(meters) == 1 else 'agree'} with what would be estimated without"
    oldest = current.iloc[0]
    has, since = "has" if len(current) == 1 else "have", units.day(oldest.opened_date)
    return f"{len(current)} of {many} {has} an open gap; the oldest, {meter(oldest)}, since {since}"
