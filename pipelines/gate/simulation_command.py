"""`jevons ceilings simulate` in words, as JSON and as CSV.

What is replayed, and how, belongs in `simulating` and `replaying`; nothing is recorded by any of them.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session

from pipelines.errors import JevonsError
from pipelines.gate.file import ACTIONS, CLASSES
from pipelines.gate.replaying import STOP, Course
from pipelines.gate.simulating import DAY, Line, Simulation, rules_of, simulate
from pipelines.registry.drafts import problems
from pipelines.registry.export import standing_rows
from pipelines.registry.fields import Limit
from pipelines.registry.gate_rules import GateRuleDraft
from pipelines.registry.importer import validated
from pipelines.registry.models import KINDS
from pipelines.registry.terminal import Url, complain, registry, show
from pipelines.settings import home
from pipelines.units import count, counted, noun, quantity, safe_cell

ASSUMPTIONS = (
    "Demand is taken as it was: a call that is denied is not asked again, and no other takes its place.",
    "Denied work is no saving: it is work that was refused, and may be done elsewhere.",
    "Slowed, batched and moved calls count as made, on their day and with what they took.",
    "The work of a day runs evenly through it; classes and teams are those of the published build.",
    "Idle machines, training and GPU jobs ask no gate and are never denied.",
)
_UNDECLARED = "undeclared"
_DAYS = ["%Y-%m-%d"]
_ENDS = ("_low", "", "_high")


def command(
    rules: Annotated[
        Path | None, typer.Option("--rules", help="CSV file of rules, as for `registry import gate_rules.csv`; they are"
                                  " checked as there, and not recorded. By default the rules in force."),
    ] = None,
    ceiling: Annotated[
        str | None, typer.Option("--ceiling", help="Replay this ceiling's period. By default that of the ceiling that"
                                 " ended last; where none has ended, of one in force, up to the last published day."),
    ] = None,
    limit: Annotated[
        str | None, typer.Option("--limit", help="Another limit for --ceiling, in the unit of its metric."),
    ] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=_DAYS, help="First day to replay.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=_DAYS, help="Last day to replay, included.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything as JSON, for programs.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="One line per workflow as CSV, for spreadsheets.")] = False,
    registry_url: Url = None,
) -> None:
    """Replays a past period under rules or a limit before they are adopted: what would the gate have done?

    Day by day, from the published build, with the decision that the gate itself takes: from which day on each class
    and workflow would have been slowed, batched, moved to a smaller model or stopped, the calls and kWh denied, whether
    each ceiling would have held, and when essential work alone would have passed it. Denied work is never a saving.
    Nothing is recorded.

    Examples:

        jevons ceilings simulate

        jevons ceilings simulate --rules gate_rules.csv --ceiling org-requests-2026-q3 --limit 12000000
    """
    from pipelines import snapshot  # loads pandas, and this module is read for every command

    try:
        if limit is not None and ceiling is None:
            raise JevonsError("Nothing was replayed", "--limit", "it does not say of which ceiling",
                              "give --ceiling too")
        drafts = _from_file(rules) if rules else _in_force(registry_url)
        found = simulate(
            snapshot.current(home()), rules_of(drafts), first.date() if first else None, last.date() if last else None,
            ceiling, None if limit is None else _limit(limit),
        )
    except JevonsError as error:
        complain(str(error))
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(as_dict(found), indent=1, ensure_ascii=False))
    elif as_csv:
        typer.echo(as_text(found), nl=False)
    else:
        _print(found, f"of {rules.name}" if rules else "in force")


def sentence(course: Course, simulation: Simulation) -> str:
    """How one ceiling fares."""
    ceiling = course.ceiling

    def told(value: Decimal) -> str:
        return _breaking(quantity(ceiling.metric, value))

    over = f", above it on {course.demanded_over_on}" if course.demanded_over_on else ""
    so_far = f" up to {simulation.last}" if ceiling.period_end > simulation.last + DAY else ""
    held = "it would have held" if course.holds else "it would not have held"
    parts = [f"{ceiling.ceiling_id}: {told(course.demanded)} were demanded of {told(ceiling.limit)}{over};"
             f" {held}{so_far}, with {told(course.used)} let through"]
    if course.reached_on:
        parts.append(f"all but essential work stops on {course.reached_on}")
    parts.append(f"essential work alone passes it on {course.essential_over_on}" if course.essential_over_on
                 else f"essential work alone is {told(course.essential)}")
    if course.unasked:
        parts.append(f"{told(course.unasked)} of other work ask no gate")
    return "; ".join(parts) + "."


def as_dict(simulation: Simulation) -> dict[str, Any]:
    """Everything; quantities are text with all their digits, in the unit of the ceiling's metric or of their name."""
    return {
        "build_id": simulation.build_id, "from_date": _plain(simulation.first), "to_date": _plain(simulation.last),
        "assumptions": list(ASSUMPTIONS), "rules": list(simulation.rules),
        "ceilings": [
            {"ceiling_id": course.ceiling.ceiling_id, "perimeter": course.ceiling.perimeter,
             "metric": course.ceiling.metric, "limit_quantity": _plain(course.ceiling.limit),
             "demanded_quantity": _plain(course.demanded), "used_quantity": _plain(course.used),
             "denied_quantity": _plain(course.demanded - course.used), "essential_quantity": _plain(course.essential),
             "unasked_quantity": _plain(course.unasked), "holds": course.holds,
             "limit_reached_date": _plain(course.reached_on), "demanded_over_date": _plain(course.demanded_over_on),
             "essential_over_date": _plain(course.essential_over_on), "sentence": sentence(course, simulation)}
            for course in simulation.courses
        ],
        "workflows": [{name: _plain(value) for name, value in _row(line).items()} for line in _ordered(simulation)],
    }


def as_text(simulation: Simulation) -> str:
    """One line per workflow, whose cells no spreadsheet runs."""
    rows = [_row(line) for line in _ordered(simulation)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_row(Line("", None)))
    writer.writerows([safe_cell(_plain(value)) for value in row.values()] for row in rows)
    return text.getvalue()


def _row(line: Line) -> dict[str, Any]:
    ceiling_id, rule_id = line.by or (None, None)
    denied = line.denied_energy_kwh if STOP in line.since else [Decimal(0)] * 3
    return {
        "usefulness_class": line.usefulness_class or _UNDECLARED, "workflow_id": line.workflow_id,
        **{f"{action}_from_date": line.since.get(action) for action in ACTIONS},
        "stop_ceiling_id": ceiling_id, "stop_rule_id": rule_id, "demanded_call_count": line.demanded_calls,
        **{f"{action}_call_count": line.calls[action] for action in ACTIONS if action != STOP},
        "denied_call_count": line.calls[STOP], "denied_unknown_energy_call_count": line.denied_unknown_calls,
        **{f"demanded_energy_kwh{end}": value for end, value in zip(_ENDS, line.energy_kwh, strict=True)},
        **{f"denied_energy_kwh{end}": value for end, value in zip(_ENDS, denied, strict=True)},
    }


def _ordered(simulation: Simulation) -> list[Line]:
    order = (*CLASSES, None)
    return sorted(simulation.lines, key=lambda line: (order.index(line.usefulness_class), line.workflow_id))


def _print(simulation: Simulation, which: str) -> None:
    rules = _breaking(counted(len(simulation.rules), "rule"))
    typer.echo(f"Replay of {simulation.first} to {simulation.last} under {rules} {which};"
               f" build {simulation.build_id}. Nothing was recorded.\n")
    for course in simulation.courses:
        typer.echo(sentence(course, simulation))
    lines = _ordered(simulation)
    classes = [name for name in (*CLASSES, None) if any(line.usefulness_class == name for line in lines)]
    typer.echo("")
    show("by class", ["class", "calls demanded", "calls denied", "kWh denied, low", "kWh denied", "kWh denied, high"],
         [_total(name or _UNDECLARED, [line for line in lines if line.usefulness_class == name]) for name in classes])
    treated = [line for line in lines if line.since]
    if treated:
        show("workflows that are slowed or denied", ["class", "workflow", "what happens", "calls denied", "kWh denied"],
             [{"class": line.usefulness_class or _UNDECLARED, "workflow": line.workflow_id, "what happens": _told(line),
               "calls denied": count(line.calls[STOP]), "kWh denied": _kwh(_row(line)["denied_energy_kwh"])}
              for line in treated])
    unknown = sum(line.denied_unknown_calls for line in lines)
    calls = _breaking(counted(unknown, "denied call"))
    typer.echo(f"\nOf {calls} the energy is unknown: they are in the high end only." if unknown else "")
    for assumption in ASSUMPTIONS:
        typer.echo(assumption)


def _total(name: str, lines: Iterable[Line]) -> dict[str, str]:
    rows = [_row(line) for line in lines]
    found = {"class": name, "calls demanded": count(sum(row["demanded_call_count"] for row in rows)),
             "calls denied": count(sum(row["denied_call_count"] for row in rows))}
    for end, column in zip(_ENDS, ("kWh denied, low", "kWh denied", "kWh denied, high"), strict=True):
        known = [row[f"denied_energy_kwh{end}"] for row in rows if row[f"denied_energy_kwh{end}"] is not None]
        found[column] = _kwh(sum(known, Decimal(0)) if known else None)
    return found


def _told(line: Line) -> str:
    words = {"slow": "slowed", "batch": "batched", "smaller_model": "moved", STOP: "stopped"}
    said = [f"{words[action]} from {line.since[action]}" for action in ACTIONS if action in line.since]
    if line.by:
        said[-1] += f" by {' / '.join(part for part in line.by if part)}"
    return ", ".join(said)


def _breaking(text: str) -> str:
    """With plain spaces, for terminals and those who search them."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


def _kwh(value: Decimal | None) -> str:
    return "unknown" if value is None else f"{value:,.3f}"


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def _from_file(path: Path) -> Iterator[GateRuleDraft]:
    _, drafts, refused = validated(path, KINDS["gate_rules"])
    for found in refused:
        complain(found.sentence())
    if refused:
        raise JevonsError("Nothing was replayed", str(path), f"{len(refused)} {noun(len(refused), 'rule')} would be"
                          " refused", "mend the file")
    yield from drafts.values()


def _in_force(registry_url: str | None) -> list[GateRuleDraft]:
    today = datetime.now(UTC).date()
    with registry(registry_url) as engine, Session(engine) as session:
        drafts = [GateRuleDraft(**row) for row in standing_rows(session, KINDS["gate_rules"])]
    return [draft for draft in drafts if draft.valid_from <= today and (not draft.valid_to or draft.valid_to > today)]


def _limit(text: str) -> Decimal:
    try:
        return TypeAdapter(Limit).validate_python(text)
    except ValidationError as error:
        _, rule, fix = problems(error)[0]
        raise JevonsError("Nothing was replayed", "--limit", rule, fix) from error
