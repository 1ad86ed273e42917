"""Use of an organisation's Claude Enterprise plan (chat, Cowork, Claude Code and others), from its Analytics API.

Which rows another report of Anthropic's holds as well belongs to dbt. Anthropic tells the 100 largest groups of a
bucket and no remainder, so each is asked for twice, by product and model and as a whole: what is in none of the groups
lands as a row of its own, and the receipt says how much it is. Nobody is grouped by. Figures are revised for 30 days; a
day that ends after `data_refreshed_at` is not whole and waits. A plan that is paid by seats tells its extra use alone,
which `plan` has to say. UNVERIFIED: what an hour that was refreshed may still lack (about three hours are spoken of).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from pipelines.errors import Finding, SettingError
from pipelines.http import Client, read_json
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources import anthropic
from pipelines.sources._admin_api import Admin, without
from pipelines.sources._bucket_pages import DAY_S, HOUR_S, Buckets, Flatten, read_buckets
from pipelines.window import DAY, Window

NAME, SECRET = "claude_enterprise", "ANTHROPIC_ANALYTICS_KEY"
PLANS = ("usage", "seats")
WIRE, GROUPS, MOST_DAYS = anthropic.WIRE, ("product", "model"), 31
USAGE = Buckets("organizations/analytics/usage_report", HOUR_S, 168, GROUPS)
COSTS = Buckets("organizations/analytics/cost_report", DAY_S, 31, GROUPS)
UNASKED = ("claude_tag_category", "claude_tag_user_id", "rbac_group_id", "slack_channel_id", "context_window",
           "inference_geo", "speed", "cost_type", "token_type")
TOKENS = ("uncached_input_tokens", "cache_creation_ephemeral_5m_input_tokens",
          "cache_creation_ephemeral_1h_input_tokens", "cache_read_input_tokens", "output_tokens")
AMOUNTS = ("amount_cents", "list_amount_cents")
ADMIN = Admin(
    WIRE, NAME, SECRET, anthropic.BASE_URL, lambda key: {"x-api-key": key}, "an analytics key",
    "made by a Primary Owner of the Enterprise organisation", "with the scope read:analytics",
    {"anthropic-version": anthropic.VERSION, "User-Agent": "Jevons"}, closed=(401, 403, 404),
)


@dataclass
class Refreshed:
    """Reads bodies, and notes the earliest instant of which Anthropic says that its figures are."""

    at: datetime | None = None

    def __call__(self, body: bytes) -> Any:
        told = read_json(body)
        at = anthropic.instant(told.get("data_refreshed_at")) if isinstance(told, Mapping) else None
        self.at = min(at, self.at) if at and self.at else at or self.at
        return told


def client(context: Context) -> Client:
    """The client that carries the organisation's analytics key; SourceError where there is none that could be sent."""
    return ADMIN.client(context)


def fetch(
    buckets: Buckets, flatten: Flatten, sums: tuple[str, ...], context: Context, window: Window
) -> Iterator[Page]:
    """The groups of every bucket, and what is beyond the largest hundred.

    Args:
        sums: The columns that add up to the whole.
    """
    plan = _plan(context)
    for chunk in window.chunks(MOST_DAYS):
        refreshed, where = Refreshed(), f"{buckets.path}, {chunk}"
        asks = replace(client(context), reader=refreshed)
        wholes, groups = (list(read_buckets(WIRE, asks, buckets, dimensions, flatten, context, chunk))
                          for dimensions in ((), buckets.group_by))
        for page in groups:
            yield replace(page, rows=[_row(row, plan, False) for row in page.rows])
        rows, findings = remainder(wholes, groups, sums, where)
        findings += [finding for page in wholes for finding in page.findings]
        findings += [
            Finding(f"{buckets.path} of {day}", f"its figures are of {refreshed.at:%Y-%m-%dT%H:%MZ}, before its end",
                    "run the same days again later", day.isoformat())
            for day in chunk.days() if refreshed.at and refreshed.at < Window(day, day + DAY).end_utc]
        warnings = _coverage(rows, wholes, sums[0], where) if rows else ()
        yield Page([_row(row, plan, True) for row in rows], f"{where}, as a whole", warnings, tuple(findings))


def remainder(
    wholes: list[Page], groups: list[Page], sums: tuple[str, ...], where: str
) -> tuple[list[dict[str, Any]], list[Finding]]:
    """What each bucket holds beyond its groups, as a row of no product and model; less than nothing is a finding.

    What one of the rows does not tell is unknown in the remainder, and so is no reason for one.
    """
    beyond: dict[int, dict[str, Any]] = {}
    seen: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    findings: list[Finding] = []
    for sign, pages in ((1, wholes), (-1, groups)):
        for row in (row for page in pages for row in page.rows):
            start, same = row[WIRE.start], (sign, row[WIRE.start], *(str(row.get(name)) for name in GROUPS if sign < 0))
            if seen.setdefault(same, row) is not row:  # one that came twice is dropped by landing, or refused
                if seen[same] != row:
                    findings.append(_odd(where, start, "it has two rows of one group"))
                continue
            left = beyond.setdefault(start, {WIRE.start: start, WIRE.end: row[WIRE.end], **dict.fromkeys(sums, 0)})
            for name in sums:
                value = _number(row.get(name))
                if value is None and row.get(name) is not None:
                    findings.append(_odd(where, start, f"its {name} is no number"))
                left[name] = None if value is None or left[name] is None else left[name] + sign * value
    rows = []
    for start, left in beyond.items():
        if any((left[name] or 0) < 0 for name in sums if name not in AMOUNTS):
            findings.append(_odd(where, start, "its groups add up to more than the whole: they are of two moments"))
        elif any(left[name] for name in sums):
            rows.append(left)
    return rows, findings


def _row(row: Mapping[str, Any], plan: str, is_remainder: bool) -> dict[str, Any]:
    """A row as it lands."""
    return {"product": None, "model": None} | anthropic.edged(row) | {"plan": plan, "is_remainder": is_remainder}


def _coverage(rows: list[dict[str, Any]], wholes: list[Page], counted: str, where: str) -> tuple[str]:
    """How much is known without its product and model, in one of the columns."""
    part, whole = (f"{Decimal(sum(_number(row.get(counted)) or 0 for row in told)).normalize():f}"
                   for told in (rows, [row for page in wholes for row in page.rows]))
    return (f"{where}: {part} of {whole} {counted} are in none of the groups that Anthropic tells, the 100 largest of "
            "each bucket: their product and model are unknown",)


def _number(value: Any) -> int | Decimal | None:
    return value if type(value) in (int, Decimal) else None


def _odd(where: str, start: int, why: str) -> Finding:
    at = datetime.fromtimestamp(start, UTC)
    return Finding(f"{where}, bucket {at:%Y-%m-%dT%H:%MZ}", why, WIRE.report, at.date().isoformat())


def usage(result: Mapping[str, Any], where: str, day: str, findings: list[Finding]) -> dict[str, Any]:
    """A result of use made flat, without people, channels and groups."""
    return without(anthropic.usage(result, where, day, findings), *UNASKED)


def cost(result: Mapping[str, Any], where: str, day: str, findings: list[Finding]) -> dict[str, Any]:
    """A cost after discounts and before credits, and at list price; both stay in cents."""
    row = anthropic.cost(result, where, day, findings)
    return without(row, "list_amount", *UNASKED) | {
        "list_amount_cents": anthropic.places(result.get("list_amount"), 12)}


def check(context: Context) -> str:
    """Asks for one day of use and one of costs of the week before.

    Raises:
        SourceError: says which of them the key may not read.
    """
    _plan(context)
    day = (datetime.now(UTC) - timedelta(days=7)).date()  # nothing that is older than a year may be asked for
    asked = Window(day, day + DAY)
    span = [("starting_at", anthropic.told(asked.start_s)), ("ending_at", anthropic.told(asked.end_s)),
            ("bucket_width", "1d"), ("limit", "1")]
    return ADMIN.check(client(context), {"use": (USAGE.path, span), "costs": (COSTS.path, span)})


def _plan(context: Context) -> str:
    plan = context.options(NAME).get("plan")
    if plan not in PLANS:
        raise SettingError(
            NAME, "plan", "it does not say how the Enterprise plan is paid",
            'write plan = "usage" where all use is billed, or "seats" where only extra use is')
    return plan


_DIMENSIONS = (
    Column("product", "VARCHAR", "chat, claude_code, cowork and others; null where not told. An open list."),
    anthropic.MODEL,
    Column("is_remainder", "BOOLEAN", "What is in none of the groups of the bucket that are told.", True),
    Column("plan", "VARCHAR", "usage (all is told) or seats (extra use), as jevons.toml says.", True, allowed=PLANS),
    anthropic.count("requests", "Requests; of code execution, spans."),
)
KEY = ("starting_at_utc", "product", "model", "is_remainder")

_usage = Table(
    "usage",
    (
        *anthropic.EDGES, *_DIMENSIONS,
        anthropic.count(TOKENS[0], "Input tokens neither read from nor written to a cache.", True),
        anthropic.count(TOKENS[1], "Input tokens written to a cache for 5 minutes.", True),
        anthropic.count(TOKENS[2], "Input tokens written to a cache for an hour.", True),
        anthropic.count(TOKENS[3], "Input tokens read from a cache.", True),
        anthropic.count(TOKENS[4], "All output tokens.", True),
        anthropic.count("web_search_requests", "Web searches that the model asked for."),
    ),
    KEY, partial(fetch, USAGE, usage, ("requests", *TOKENS, "web_search_requests")),
    "Requests and tokens by hour, product and model, and what is beyond the largest groups.",
    lambda row: row["starting_at_utc"].date(),
)
_costs = Table(
    "costs",
    (
        *anthropic.EDGES, *_DIMENSIONS,
        Column("amount_cents", "DECIMAL(24,12)", "Amount in cents, after discounts and before credits.", True),
        Column("list_amount_cents", "DECIMAL(24,12)", "The same at list prices.", True),
        Column("currency", "VARCHAR", "Always USD; null of a remainder."),
    ),
    KEY, partial(fetch, COSTS, cost, (*AMOUNTS, "requests")),
    "What Anthropic charges for the plan, by day, product and model, and what is beyond the largest groups.",
    lambda row: row["starting_at_utc"].date(),
)

SOURCE = Source(
    NAME, (_usage, _costs), "The Analytics API of a Claude Enterprise plan: use and costs.", SECRET,
    restate_days=30, options=("plan", "base_url", "site"),
    personal=("claude_tag_user_id", "slack_channel_id", "rbac_group_id"), check=check,
)
