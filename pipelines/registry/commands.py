"""The commands `jevons registry ...` and `jevons ceilings ...`: words in, tables and sentences out.

Rules belong in `book` and its neighbours, printing in `terminal`; the clock is read here and nowhere deeper.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy import Engine
from sqlmodel import Session

from pipelines.errors import JevonsError
from pipelines.registry import attempts, book, ceilings
from pipelines.registry.allocation_commands import allocate, allocations
from pipelines.registry.decisions import AFTER_DAYS, review_id
from pipelines.registry.drafts import METRICS, PERIMETER_TYPES, CeilingDraft, Recording, problems
from pipelines.registry.export import standing_rows
from pipelines.registry.importer import import_csv, kind_of
from pipelines.registry.models import KINDS
from pipelines.registry.store import versions
from pipelines.registry.terminal import Url, complain, login, registry, show
from pipelines.settings import home
from pipelines.units import noun

SOME_REFUSED = 3  # exit code: the good rows are recorded, the bad ones are not

KindName = StrEnum("KindName", {name: name for name in KINDS})
PerimeterType = StrEnum("PerimeterType", {name: name for name in PERIMETER_TYPES})
Metric = StrEnum("Metric", {name: name for name in METRICS})

registry_app = typer.Typer(
    help="Who uses AI and for what: teams, workflows, rules that attribute usage to them, ceilings, carbon's price"
    " inside the organisation, and what vendors answered. Nothing is ever changed or deleted here; a correction is a"
    " new version.",
    no_args_is_help=True, rich_markup_mode="markdown",
)
ceilings_app = typer.Typer(
    help="Limits on energy, carbon, calls, tokens, GPU hours or cost of a perimeter for a month, a quarter or a year:"
    " adopt and lower them. Nothing raises one, deletes it, gives it another period or another name: no command, no"
    " file, no SQL statement. Each attempt is refused and recorded: `jevons ceilings refused`.",
    no_args_is_help=True, rich_markup_mode="markdown",
)

By = Annotated[str, typer.Option("--by", help="Who adopts it: a role or a body, kept for the audit.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, in one sentence, kept for the audit.")]
Evidence = Annotated[
    str | None, typer.Option("--evidence", help="What it rests on: a title, an address, the id of an allocation.")
]
AsOf = Annotated[
    datetime | None,
    typer.Option("--as-of", formats=["%Y-%m-%d"], help="As it was known at the end of that day, UTC; by default now."),
]

def _columns() -> str:
    """What the CSV files hold, as it is defined in `drafts`."""
    said = [
        "Columns of each kind, in any order. Days are written YYYY-MM-DD; `valid_to` and `period_end` are the first day"
        " on which it no longer holds. The shares of one identity sum to 1.",
    ]
    for kind in KINDS.values():
        told = {
            name: name + (f" ({', '.join(kind.choices[name])})" if name in kind.choices else "")
            for name in kind.columns
        }
        optional = [told[name] for name in kind.columns if name not in kind.required]
        empty = f"; may be empty: {', '.join(optional)}" if optional else ""
        said.append(f"**{kind.name}**: {', '.join(told[name] for name in kind.required)}{empty}")
    return "\n\n".join(said)


@registry_app.command("import", epilog=_columns())
def import_files(
    files: Annotated[
        list[Path], typer.Argument(help="CSV files, UTF-8, with a header; columns below.", metavar="FILE...")
    ],
    kind: Annotated[
        KindName | None, typer.Option("--kind", help="What the files hold, if their names do not begin with it.")
    ] = None,
    by: Annotated[str | None, typer.Option("--by", help="Who records it; by default your login.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, kept for the audit.")] = None,
    registry_url: Url = None,
) -> None:
    """Records the rows of CSV files, and says of each bad row why it is refused and what to do.

    Good rows beside a bad one are recorded. Bad rows go to quarantine/registry/NAME.refused.csv in
    JEVONS_HOME with the reasons, and can be mended and imported from there. Importing a file again writes
    nothing; a changed row becomes a new version. Files are taken in the order of the columns below.

    Exit code: 0 all recorded, 3 some rows refused, 1 a file could not be taken at all.

    Examples:

        jevons registry import teams.csv workflows.csv rules.csv ceilings.csv gate_rules.csv

        jevons registry import levies.csv levy_uses.csv vendors.csv vendor_answers.csv --reason "Decision 2026-19"

        jevons registry import export-2026-06.csv --kind workflows --by "Data office" --reason "June review"
    """

    code = 0
    with registry(registry_url) as engine:
        planned: list[tuple[str, Path]] = []
        for file in files:
            try:
                planned.append((kind_of(file, kind.value if kind else None).name, file))
            except JevonsError as error:
                complain(str(error))
                code = 1
        for name, file in sorted(planned, key=lambda plan: list(KINDS).index(plan[0])):
            try:
                result = import_csv(
                    engine, file, name, by or login(), reason or f"imported from {file.name}",
                    datetime.now(UTC), home() / "quarantine" / "registry",
                )
            except JevonsError as error:
                complain(str(error))
                code = 1
                continue
            for finding in result.refused:
                complain(finding.sentence())
            unread = any(finding.line not in result.refused_rows for finding in result.refused)
            typer.echo(
                f"{file.name}: {result.accepted} recorded, {result.unchanged} unchanged,"
                f" {len(result.refused_rows)} {noun(len(result.refused_rows), 'row')} refused"
                + (", the rest of the file not read" if unread else "")
                + (f", see {result.quarantine}" if result.quarantine else "")
            )
            code = code or (SOME_REFUSED if result.refused else 0)
    if code:
        raise typer.Exit(code)


@registry_app.command("list")
def list_entries(
    kind: Annotated[KindName, typer.Argument(help="Which entries.")],
    as_of: AsOf = None,
    registry_url: Url = None,
) -> None:
    """Shows what holds: the newest version of each id, the lowest limit of each ceiling.

    Examples:

        jevons registry list workflows

        jevons registry list rules --as-of 2026-06-30
    """
    _list(KINDS[kind.value].name, as_of.date() if as_of else None, registry_url)


def _list(name: str, as_of: date | None, registry_url: str | None) -> None:
    kind = KINDS[name]
    with registry(registry_url) as engine, Session(engine) as session:
        show(name, list(kind.columns), standing_rows(session, kind, as_of))


@registry_app.command("history")
def history(
    entry_id: Annotated[
        str, typer.Argument(help="Of a team, workflow, rule, ceiling or change, as it is listed.", metavar="ID")
    ],
    registry_url: Url = None,
) -> None:
    """Shows every recorded version of an id: what it said, who recorded it, when, why, instead of what.

    Example:

        jevons registry history team-claims
    """
    with registry(registry_url) as engine, Session(engine) as session:
        found = False
        for kind in KINDS.values():
            ids = [review_id(entry_id, days) for days in AFTER_DAYS] if kind.name == "reviews" else []
            rows = [row for name in (entry_id, *ids) for row in versions(session, kind, name)]
            if rows:
                found = True
                audit = ["version", "recorded_at_utc", "recorded_by", "reason", "row_id", "supersedes"]
                columns = audit + [column for column in kind.columns if column not in (kind.id_field, *audit)]
                show(f"{kind.name} {entry_id}", columns, [row.model_dump() for row in rows])
        if not found:
            raise JevonsError(
                "There is no history", entry_id, "the registry never held this id",
                "look it up with `jevons registry list`",
            )


@ceilings_app.command("list")
def list_ceilings(as_of: AsOf = None, registry_url: Url = None) -> None:
    """Shows the ceilings that stand, each with the lowest limit ever recorded for it.

    Example:

        jevons ceilings list --as-of 2026-06-30
    """
    _list("ceilings", as_of.date() if as_of else None, registry_url)


@ceilings_app.command("adopt")
def adopt(
    perimeter_type: Annotated[PerimeterType, typer.Option("--perimeter-type", help="What the limit is for.")],
    metric: Annotated[
        Metric, typer.Option("--metric", help="What is limited, in this unit. Each metric binds for itself.")
    ],
    period_start: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of the month, quarter or year.")
    ],
    period_end: Annotated[
        datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="First day after the period.")
    ],
    limit: Annotated[str, typer.Option("--limit", help="In the unit of the metric, such as 1200.5.")],
    by: By,
    reason: Reason,
    perimeter_id: Annotated[
        str, typer.Option(
            "--perimeter-id",
            help="Id of the unit, team or workflow, a service's provider as its calls name it, a country's code (FR or"
            " FRA), or the sector tag that workflows carry.",
        )
    ] = "organisation",
    evidence: Evidence = None,
    registry_url: Url = None,
) -> None:
    """Adopts a limit for a perimeter and a period; later it may be lowered, never raised.

    Ceilings of one metric and period sum to no more than the one above them: workflows of a team, teams of a
    unit, units of the organisation, as the registry places them on the day of adoption.

    Examples:

        jevons ceilings adopt --perimeter-type organisation --metric energy_kwh
        --from 2026-01-01 --to 2027-01-01 --limit 120000
        --by "Management board" --reason "Board decision 2026-14"

        jevons ceilings adopt --perimeter-type team --perimeter-id team-claims --metric requests
        --from 2026-06-01 --to 2026-09-01 --limit 900000 --by "Claims unit" --reason "Share of the unit"
    """
    asked = {
        "perimeter_type": perimeter_type.value, "perimeter_id": perimeter_id, "metric": metric.value,
        "period_start": period_start.date(), "period_end": period_end.date(), "limit_quantity": limit,
        "evidence": evidence,
    }
    with registry(registry_url) as engine:
        _record(engine, asked, by, reason)


@ceilings_app.command("lower")
def lower(
    ceiling_id: Annotated[str, typer.Argument(help="The id that `jevons ceilings list` shows.")],
    limit: Annotated[str, typer.Option("--limit", help="The new, lower limit in the unit of the metric.")],
    by: By,
    reason: Reason,
    evidence: Evidence = None,
    registry_url: Url = None,
) -> None:
    """Lowers a ceiling for the whole of its period. A limit above the one that stands is refused.

    Example:

        jevons ceilings lower team:team-claims:requests:2026-06-01:2026-09-01 --limit 800000
        --by "Claims unit" --reason "Summer volume is lower"
    """
    with registry(registry_url) as engine:
        with Session(engine) as session:
            rows = ceilings.standing(versions(session, KINDS["ceilings"], ceiling_id))
        if not rows:
            raise JevonsError(
                "There is nothing to lower", ceiling_id, "the registry holds no such ceiling",
                "look it up with `jevons ceilings list`",
            )
        kept = ("ceiling_id", "perimeter_type", "perimeter_id", "metric", "period_start", "period_end")
        asked = {name: getattr(rows[0], name) for name in kept} | {
            "limit_quantity": limit, "evidence": evidence}
        _record(engine, asked, by, reason)


@ceilings_app.command("refused")
def refused(as_of: AsOf = None, registry_url: Url = None) -> None:
    """Shows what was tried and refused: who tried what, when, by which way, and the rule in its way.

    The way is command, import, or sql for a statement that the database refused. On SQLite such a statement is
    recorded where its transaction is committed all the same, as a lone statement's is.

    Example:

        jevons ceilings refused --as-of 2026-06-30
    """
    with registry(registry_url) as engine, Session(engine) as session:
        show("refused attempts", list(attempts.COLUMNS), attempts.listed(session, as_of.date() if as_of else None))


def _record(engine: Engine, asked: dict[str, Any], by: str, reason: str) -> None:
    """Records one ceiling and says its id, or says why not."""
    try:
        recording = Recording(recorded_by=by, reason=reason, recorded_at_utc=datetime.now(UTC))
        draft = CeilingDraft(**asked, adopted_by=by)
    except ValidationError as error:
        field, rule, fix = problems(error)[0]
        who = Recording(recorded_by=login(), reason="refused", recorded_at_utc=datetime.now(UTC))
        attempts.keep(engine, [(asked, (field, rule, fix))], who)
        raise JevonsError("The ceiling was not recorded", _option(field), rule, fix) from error
    outcome = book.record(engine, KINDS["ceilings"], [draft], recording)
    for refusal in outcome.refused:
        raise JevonsError("The ceiling was not recorded", _option(refusal.field), refusal.rule, refusal.fix)
    for ceiling_id in outcome.accepted:
        typer.echo(f"{ceiling_id} binds at {asked['limit_quantity']}, recorded for {by}.")
    for ceiling_id in outcome.unchanged:
        typer.echo(f"{ceiling_id} already stands at {asked['limit_quantity']}; nothing was recorded.")


def _option(field: str) -> str:
    names = {
        "period_start": "--from", "period_end": "--to", "limit_quantity": "--limit", "adopted_by": "--by",
        "recorded_by": "--by", "reason": "--reason", "metric": "--metric", "perimeter_id": "--perimeter-id",
    }
    return names.get(field, field)


ceilings_app.command("allocate")(allocate)
ceilings_app.command("allocations")(allocations)
