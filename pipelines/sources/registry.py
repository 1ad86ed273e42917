"""The registry as a source: whatever the organisation declared, as it stands, landed like any record.

What may be recorded, and who recorded it when and why, is the business of `pipelines.registry`.
"""

import json
from collections.abc import Iterator
from datetime import UTC
from functools import partial

from sqlmodel import Session

from pipelines.gate.file import ACTIONS, CLASSES
from pipelines.registry import attempts
from pipelines.registry.changes import BY_DESIGN, CHANGE_TYPES, ORIGINS
from pipelines.registry.claims import CLAIM_PERIMETERS, FUNCTIONAL_UNITS
from pipelines.registry.decisions import DECISIONS, OUTCOMES
from pipelines.registry.drafts import MATCH_TYPES, METRICS, PERIMETER_TYPES
from pipelines.registry.export import current_rows
from pipelines.registry.levies import LEVIED, LEVY_BASES, LEVY_KINDS
from pipelines.registry.store import default_url, open_registry
from pipelines.registry.vendors import ANSWERS, QUESTIONS
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.window import Window

NAME = "registry"
URL = "JEVONS_REGISTRY_URL"


def _rows(context: Context) -> dict[str, list[dict]]:
    engine = open_registry(default_url(context.settings.home, context.settings.secret(URL)))
    try:
        with Session(engine) as session:
            tried = enumerate(attempts.listed(session), start=1)
            return {**current_rows(engine), "refused_attempts": [_attempt(*numbered) for numbered in tried]}
    finally:
        engine.dispose()


def _attempt(number: int, row: dict) -> dict:
    """An attempt without who made it: published data names no person."""
    told = {**row, **json.loads(row["tried"])}
    return {"attempt_id": number, **{name: value or None for name, value in told.items()}}


def _fetch(context: Context, window: Window, table: str) -> Iterator[Page]:
    names = {column.name for column in SOURCE.table(table).columns}
    rows = [{name: value for name, value in row.items() if name in names} for row in _rows(context)[table]]
    for row in rows:
        # the registry keeps UTC without saying so
        for name in names & {"adopted_at_utc", "attempted_at_utc", "decided_at_utc"}:
            row[name] = row[name].replace(tzinfo=UTC)
    yield Page(rows, f"{table} of the registry as they stand")


def check(context: Context) -> str:
    """Counts what the registry holds."""
    counts = {table: len(rows) for table, rows in _rows(context).items()}
    return "The registry holds " + ", ".join(f"{n} {table.replace('_', ' ')}" for table, n in counts.items()) + "."


_VALID = (
    Column("valid_from", "DATE", "First day on which it holds.", required=True),
    Column("valid_to", "DATE", "First day on which it no longer holds; null = open."),
)
_DECIDED = (
    Column("decided_by", "VARCHAR", "The body that decided it.", required=True),
    Column("decided_at_utc", "TIMESTAMP", "When.", required=True),
    Column("reason", "VARCHAR", "Why.", required=True),
)


def _table(
    name: str, key: str, description: str, *columns: Column, of: str = "VARCHAR", beside: tuple[str, ...] = ()
) -> Table:
    identity = Column(key, of, "Its id.", required=True)
    return Table(name, (identity, *columns), (key, *beside), partial(_fetch, table=name), description, daily=False)


SOURCE = Source(
    name=NAME,
    description="What the organisation declared: teams, workflows, identities, ceilings, levies and vendors' answers.",
    always=True,
    check=check,
    tables=(
        _table(
            "teams", "team_id", "One row per team.",
            Column("team_name", "VARCHAR", "Its name.", required=True),
            Column("unit_id", "VARCHAR", "The unit that it is in.", required=True),
            Column("unit_name", "VARCHAR", "The unit's name.", required=True),
            Column("country", "VARCHAR", "The country in which it is counted, ISO 3166-1 alpha-3.", required=True),
            *_VALID,
        ),
        _table(
            "workflows", "workflow_id", "One row per workflow, with its owner and its job description.",
            Column("workflow_name", "VARCHAR", "Its name.", required=True),
            Column("team_id", "VARCHAR", "The team that runs it.", required=True),
            Column("owner", "VARCHAR", "The role that answers for it.", required=True),
            Column("job_description", "VARCHAR", "What its model calls are for.", required=True),
            Column("usefulness_class", "VARCHAR", "Decides what stops first.", True,
                   allowed=("essential", "useful", "comfort", "experimental")),
            Column("latency_tier", "VARCHAR", "How soon an answer is needed.", required=True),
            Column("cacheable", "BOOLEAN", "Whether equal questions may get equal answers.", required=True),
            Column("small_model_fit", "VARCHAR", "Whether a smaller model would do.", True,
                   allowed=("yes", "no", "untested")),
            Column("expected_monthly_calls", "BIGINT", "Calls a month that it was declared for.", True, minimum=0),
            Column("review_due_date", "DATE", "When its next workload review is due.", required=True),
            Column("status", "VARCHAR", "Whether it still runs.", True, allowed=("active", "retired")),
            *_VALID,
            Column("sector_tag", "VARCHAR", "The sector that it serves; null = none."),
        ),
        _table(
            "attribution_rules", "rule_id", "One row per rule from an identity seen in usage to a workflow.",
            Column("match_type", "VARCHAR", "Kind of identity.", True, allowed=MATCH_TYPES),
            Column("source", "VARCHAR", "Source in which the identity is seen; null = any."),
            Column("match_value", "VARCHAR", "The identity.", required=True),
            Column("workflow_id", "VARCHAR", "The workflow that it belongs to.", required=True),
            Column("share", "DECIMAL(9,8)", "Part of its usage; an identity's rules sum to 1.", True, minimum=0),
            *_VALID,
        ),
        _table(
            "ceilings", "ceiling_id", "One row per ceiling, at its lowest adopted limit.",
            Column("perimeter_type", "VARCHAR", "Kind of perimeter.", True, allowed=PERIMETER_TYPES),
            Column("perimeter_id", "VARCHAR", "The perimeter.", required=True),
            Column("metric", "VARCHAR", "What is limited; gives the limit its unit.", True, allowed=METRICS),
            Column("period_start", "DATE", "First day of the period.", required=True),
            Column("period_end", "DATE", "First day after the period.", required=True),
            Column("limit_quantity", "DECIMAL(24,9)", "The limit, in the unit that the metric names.", True, minimum=0),
            Column("adopted_by", "VARCHAR", "The body that adopted it.", required=True),
            Column("adopted_at_utc", "TIMESTAMP", "When it was adopted.", required=True),
            Column("reason", "VARCHAR", "Why."),
            Column("evidence", "VARCHAR", "What the limit rests on: a title, an address, the id of an allocation."),
        ),
        _table(
            "gate_rules", "gate_rule_id", "One row per rule of the gate: what happens to work before a limit.",
            Column("usefulness_class", "VARCHAR", "Class of work.", True, allowed=CLASSES),
            Column("action", "VARCHAR", "What happens to it.", True, allowed=ACTIONS),
            Column("from_ratio", "DECIMAL(9,8)", "From which used part of a limit on.", True, minimum=0),
            Column("metric", "VARCHAR", "Only of ceilings in this metric; null = of all.", allowed=METRICS),
            Column("perimeter_type", "VARCHAR", "Only for work inside that perimeter; null = for all work.",
                   allowed=PERIMETER_TYPES),
            Column("perimeter_id", "VARCHAR", "That perimeter; null = for all work."),
            Column("adopted_by", "VARCHAR", "The body that assigned it.", required=True),
            Column("review_due_date", "DATE", "When it is to be reviewed.", required=True),
            *_VALID,
        ),
        _table(
            "claims", "claim_id", "One row per claim that something takes less energy.",
            Column("claimant", "VARCHAR", "Who claims it.", required=True),
            Column("claim_text", "VARCHAR", "In which words.", required=True),
            Column("claimed_on", "DATE", "When.", required=True),
            Column("claim_source", "VARCHAR", "Where it was said: title and address.", required=True),
            Column("claimed_saving_ratio", "DECIMAL(9,8)", "Part of the energy said to be saved.", True, minimum=0),
            Column("functional_unit", "VARCHAR", "Of what.", True, allowed=FUNCTIONAL_UNITS),
            Column("workload", "VARCHAR", "The workload behind the claim, as stated."),
            Column("baseline", "VARCHAR", "What it is compared with, as stated."),
            Column("hardware", "VARCHAR", "On which hardware, as stated."),
            Column("meter", "VARCHAR", "Which meter would test it."),
            Column("perimeter_type", "VARCHAR", "Kind of the own workload on which it is tested.",
                   allowed=CLAIM_PERIMETERS),
            Column("perimeter_id", "VARCHAR", "That workload."),
            Column("baseline_start", "DATE", "First day of the baseline."),
            Column("baseline_end", "DATE", "First day after the baseline."),
            Column("tested_start", "DATE", "First day of the days tested."),
            Column("tested_end", "DATE", "First day after these; null = to the last day of the ledger."),
            *_VALID,
        ),
        _table(
            "levies", "levy_id", "One row per price of carbon on a perimeter.",
            Column("levy_kind", "VARCHAR", "Paid into a fund, or only reckoned with.", True, allowed=LEVY_KINDS),
            Column("perimeter_type", "VARCHAR", "Kind of perimeter.", True, allowed=LEVIED),
            Column("perimeter_id", "VARCHAR", "The perimeter.", required=True),
            Column("basis", "VARCHAR", "Which carbon it prices.", True, allowed=LEVY_BASES),
            Column("price_per_tonne", "DECIMAL(13,4)", "Price of a tonne of CO2e, in the currency.", True, minimum=0),
            Column("currency", "VARCHAR", "ISO 4217.", required=True),
            Column("adopted_by", "VARCHAR", "The body that adopted it.", required=True),
            *_VALID,
        ),
        _table(
            "levy_uses", "use_id", "One row per use of what a fee brought.",
            Column("levy_id", "VARCHAR", "A fee that paid into the fund.", required=True),
            Column("used_on_date", "DATE", "When it was used.", required=True),
            Column("amount", "DECIMAL(18,2)", "In the fee's currency.", True, minimum=0),
            Column("purpose", "VARCHAR", "For what.", required=True),
            Column("approved_by", "VARCHAR", "The body that decided it.", required=True),
            Column("evidence", "VARCHAR", "What proves it.", required=True),
        ),
        _table(
            "vendors", "vendor_id", "One row per vendor.",
            Column("vendor_name", "VARCHAR", "Its name.", required=True),
            Column("providers", "VARCHAR", "Its names in usage, with a space between them.", required=True),
        ),
        _table(
            "vendor_answers", "answer_id", "One row per answer of a vendor.",
            Column("vendor_id", "VARCHAR", "The vendor.", required=True),
            Column("question", "VARCHAR", "One of six.", True, allowed=QUESTIONS),
            Column("answer", "VARCHAR", "What it came to.", True, allowed=ANSWERS),
            Column("answer_text", "VARCHAR", "In the vendor's words or in short.", required=True),
            Column("evidence_title", "VARCHAR", "What shows it; null = it was only said."),
            Column("evidence_address", "VARCHAR", "Where that can be read."),
            Column("answered_on_date", "DATE", "When it was answered.", required=True),
        ),
        _table(
            "refused_attempts", "attempt_id", "One row per attempt at a ceiling that was refused; as it was written.",
            Column("attempted_at_utc", "TIMESTAMP", "When.", required=True),
            Column("path", "VARCHAR", "By which way: command, import or sql.", required=True),
            Column("statement", "VARCHAR", "insert, update or delete, where the database refused it."),
            Column("ceiling_id", "VARCHAR", "The ceiling that was meant."),
            Column("perimeter_type", "VARCHAR", "Kind of perimeter that was asked for."),
            Column("perimeter_id", "VARCHAR", "Perimeter that was asked for."),
            Column("metric", "VARCHAR", "Metric that was asked for."),
            Column("period_start", "VARCHAR", "First day that was asked for."),
            Column("period_end", "VARCHAR", "First day after the period that was asked for."),
            Column("limit_quantity", "VARCHAR", "Limit that was asked for."),
            Column("field", "VARCHAR", "What was at fault; null = the whole."),
            Column("rule", "VARCHAR", "The rule in its way.", required=True),
            Column("fix", "VARCHAR", "The way out."),
            of="BIGINT",
        ),
        _table(
            "changes", "change_id", "One row per efficiency change and workflow.",
            Column("workflow_id", "VARCHAR", "A workflow in which it is in force.", required=True),
            Column("change_type", "VARCHAR", "What it is.", True, allowed=CHANGE_TYPES),
            Column("change_date", "DATE", "First day on which it is in force.", required=True),
            Column("expected_saving_ratio", "DECIMAL(9,8)", "Part of the energy that is to be saved.", minimum=0),
            Column("expected_source", "VARCHAR", "Who says so, or what was measured."),
            Column("design", "VARCHAR", "Whether chance decided which workflow came first.", allowed=(BY_DESIGN,)),
            Column("owner", "VARCHAR", "Who owes its reviews; null = the owner of the workflow."),
            Column("origin", "VARCHAR", "Whether it was seen before it was declared.", True, allowed=ORIGINS),
            *_VALID, beside=("workflow_id",),
        ),
        _table(
            "reviews", "review_id", "One row per workload review that was answered.",
            Column("change_id", "VARCHAR", "The change that it is about.", required=True),
            Column("after_days", "INTEGER", "Days after it, 30 or 90.", required=True, minimum=30),
            Column("outcome", "VARCHAR", "What was decided.", True, allowed=OUTCOMES),
            *_DECIDED,
        ),
        _table(
            "ratchets", "change_id", "One row per proposed ceiling that was adopted or declined.",
            Column("decision", "VARCHAR", "What was decided.", True, allowed=DECISIONS),
            Column("ceiling_id", "VARCHAR", "The ceiling that it is about.", required=True),
            Column("limit_before_quantity", "DECIMAL(24,9)", "What stood, in the unit of the metric.", True, minimum=0),
            Column("limit_quantity", "DECIMAL(24,9)", "What stands after it, likewise.", True, minimum=0),
            *_DECIDED,
        ),
    ),
)
