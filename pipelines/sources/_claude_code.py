"""Claude Code's daily report in Anthropic's Admin API: one record per person, added up here so that nobody is kept.

Which of its rows are use that no other report holds belongs to staging. UNVERIFIED: that a closed day is not restated
later than other usage.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from pipelines.errors import Finding
from pipelines.http import Client
from pipelines.source import Column, Context, Page
from pipelines.sources._admin_api import places
from pipelines.sources._bucket_pages import MOST_LIST_PAGES, Wire, read_pages
from pipelines.window import Window

PATH = "organizations/usage_report/claude_code"
MOST_RECORDS = "1000"
KEY = ("day", "customer_type", "subscription_type", "api_key_name", "model")
TOKENS = {"input": "input_tokens", "output": "output_tokens", "cache_read": "cache_read_input_tokens",
          "cache_creation": "cache_creation_input_tokens"}
COLUMNS = (
    Column("day", "DATE", "UTC day of use.", True),
    Column("customer_type", "VARCHAR", "api or subscription; the tokens of api are in `messages` as well.", True,
           allowed=("api", "subscription")),
    Column("subscription_type", "VARCHAR", "enterprise, team and others; null where there is none. An open list."),
    Column("api_key_name", "VARCHAR", "Name of the API key; null where a person used it."),
    Column("model", "VARCHAR", "Model as Anthropic names it.", True),
    *(Column(name, "BIGINT", f"Tokens of kind {kind}; the kinds are disjoint.", True, minimum=0)
      for kind, name in TOKENS.items()),
    Column("estimated_cost_cents", "DECIMAL(24,12)", "Anthropic's own estimate, in cents; not what is charged.", True),
    Column("user_count", "BIGINT", "Records that were added up: a person twice where they used two terminals.", True,
           minimum=1, additive=False),
)


def read(wire: Wire, client: Client, context: Context, window: Window) -> Iterator[Page]:
    """Each day of the window as one page, because the vendor answers for one day at a time.

    Raises:
        SourceError: the vendor refused, answered in another shape, or turned in circles.
    """
    days = list(window.days())
    for number, day in enumerate(days, start=1):
        asked = [("starting_at", day.isoformat()), ("limit", MOST_RECORDS)]
        totals: dict[tuple[Any, ...], dict[str, Any]] = {}
        findings: list[Finding] = []
        seen: set[Any] = set()
        for body, request in read_pages(wire, client, PATH, asked, "page", MOST_LIST_PAGES, seen):
            for position, record in enumerate(body["data"], start=1):
                where = f"{request}, record {position}"
                same = _identity(wire, record, where)
                if not str(record.get("date")).startswith(day.isoformat()):
                    raise wire.misshapen(where, f"it is of {str(record.get('date'))[:30]}, {day} was asked for")
                if same in seen:
                    findings.append(Finding(where, "the same person, terminal and kind of customer came twice",
                                            wire.report, day.isoformat()))
                    continue
                seen.add(same)
                for row in _rows(wire, record, day.isoformat(), where, findings):
                    _add(totals, {"day": day, **row})
        context.progress(f"{wire.vendor} claude_code: {number} of {len(days)} days of {window}")
        yield Page(list(totals.values()), client.describe(PATH, asked), (), tuple(findings))


def _identity(wire: Wire, record: Any, where: str) -> tuple[Any, ...]:
    """What makes a record one of its day; it is compared within one run, and written nowhere."""
    actor = record.get("actor") if isinstance(record, dict) else None
    who = (actor.get("email_address") or actor.get("api_key_name")) if isinstance(actor, dict) else None
    if not isinstance(who, str) or not isinstance(record.get("model_breakdown"), list):
        raise wire.misshapen(where, "it has no actor, or no model_breakdown")
    return who, *(str(record.get(name)) for name in ("customer_type", "terminal_type", "is_remote"))


def _rows(
    wire: Wire, record: Mapping[str, Any], day: str, where: str, findings: list[Finding]
) -> Iterator[dict[str, Any]]:
    """A record's models, without the person."""
    for part in record["model_breakdown"]:
        tokens, cost = (part.get(name) if isinstance(part, dict) else None for name in ("tokens", "estimated_cost"))
        if not isinstance(tokens, dict) or not isinstance(cost, dict):
            raise wire.misshapen(where, "a model has no tokens or no estimated_cost")
        counts = {name: tokens.get(kind) for kind, name in TOKENS.items()}
        cents = places(cost.get("amount"), 12)
        wrong = [name for name, count in counts.items() if type(count) is not int or count < 0]  # a sum would hide it
        if wrong or not isinstance(cents, Decimal) or cost.get("currency") != "USD" or set(tokens) - set(TOKENS):
            findings.append(Finding(
                where, "a model's tokens are not the four counts that are known, or its cost is not in USD",
                wire.report, day))
            continue
        yield {
            "customer_type": record.get("customer_type"), "subscription_type": record.get("subscription_type"),
            "api_key_name": record["actor"].get("api_key_name"), "model": part.get("model"), **counts,
            "estimated_cost_cents": cents, "user_count": 1,
        }


def _add(totals: dict[tuple[Any, ...], dict[str, Any]], row: dict[str, Any]) -> None:
    same = tuple(str(row[name]) for name in KEY)
    before = totals.setdefault(same, row)
    if before is not row:
        for name in (*TOKENS.values(), "estimated_cost_cents", "user_count"):
            before[name] += row[name]
