"""The commands `jevons ceilings allocate` and `jevons ceilings allocations`: words in, tables and sentences out.

What a quota is made of belongs in `allocation`; the clock is read here and nowhere deeper.
"""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlmodel import Session

from pipelines import snapshot
from pipelines.errors import JevonsError
from pipelines.registry import allocation
from pipelines.registry.allocation_tables import Allocation
from pipelines.registry.ceilings import plain
from pipelines.registry.drafts import Recording, problems
from pipelines.registry.fields import decimal
from pipelines.registry.past_use import past_use
from pipelines.registry.terminal import Url, registry, show
from pipelines.settings import home

Level = StrEnum("Level", {name: name for name in ("unit", "team", "workflow")})
Basis = StrEnum("Basis", {"use": "use", "calls": "calls"})
_DEFAULTS = ", ".join(f"{name}={plain(weight)}" for name, weight in allocation.CLASS_WEIGHTS.items())


def allocate(
    ceiling_id: Annotated[str, typer.Argument(help="The ceiling to split, as `jevons ceilings list` shows it.")],
    criterion: Annotated[list[str], typer.Option(
        "--criterion", metavar="NAME=WEIGHT",
        help="headcount, past_use or usefulness, and its weight; give it again for each. The weights sum to 1.",
    )],
    among: Annotated[Level | None, typer.Option(
        "--among", help="Who gets a quota; by default the next level: units, teams of a unit, workflows of a team.",
    )] = None,
    limit: Annotated[str | None, typer.Option(
        "--limit", help="Split less than the ceiling, and keep the rest back; by default all of it.")] = None,
    headcount: Annotated[Path | None, typer.Option(
        "--headcount", help="CSV file with the columns perimeter_id and headcount, one row for each that gets a quota.",
    )] = None,
    days: Annotated[int | None, typer.Option(
        "--days", min=1, help="Past use of the last so many days of the published build; by default of the last whole"
        " period as long as the ceiling's.")] = None,
    class_weight: Annotated[list[str] | None, typer.Option(
        "--class-weight", metavar="CLASS=WEIGHT",
        help=f"What use of a class weighs by usefulness; by default {_DEFAULTS}.",
    )] = None,
    usefulness_of: Annotated[Basis, typer.Option(
        "--usefulness-of", help="What the class weights are applied to: past use in the ceiling's metric, or calls.",
    )] = Basis.use,
    without: Annotated[list[str] | None, typer.Option(
        "--without", metavar="ID", help="One that gets no quota; give it again for each.")] = None,
    adopt: Annotated[bool, typer.Option("--adopt", help="Adopt all quotas, or none if one is refused.")] = False,
    by: Annotated[str | None, typer.Option("--by", help="Who adopts them: a role or a body.")] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Why, in one sentence, kept for the audit.")] = None,
    registry_url: Url = None,
) -> None:
    """Splits a ceiling among the units, teams or workflows below it, by criteria that are weighed.

    Quotas are rounded by the largest remainder and sum to what is split, to the last digit. Without --adopt
    this is a proposal, and nothing is recorded. With it, each quota becomes a ceiling whose evidence is the
    computation, which is kept with all that it was made of: `jevons ceilings allocations`. Teams and workflows
    that have ended before the period, and retired workflows, get none.

    Past use is that of the workflows that belong to each one now. Of whom nothing is known, nothing is assumed:
    the command says so and ends. Calls that are unknown in part are shown beside what is known.

    Examples:

        jevons ceilings allocate org-kwh --criterion headcount=0.5 --criterion past_use=0.5
        --headcount staff.csv --days 28

        jevons ceilings allocate claims-req --criterion usefulness=1 --class-weight comfort=0.25
        --adopt --by "Claims unit" --reason "By usefulness, minutes of 12 May"
    """
    weights = _weighed(criterion, allocation.CRITERIA, "--criterion")
    total = sum(weights.values())
    if total != 1:
        raise typer.BadParameter(f"the weights sum to {plain(total)}, not to 1", param_hint="--criterion")
    classes = tuple(allocation.CLASS_WEIGHTS)
    by_class = allocation.CLASS_WEIGHTS | _weighed(class_weight or (), classes, "--class-weight")
    if adopt and not (by and reason):
        raise typer.BadParameter("it is adopted by somebody and for a reason: give --by and --reason too")
    if ("headcount" in weights) != (headcount is not None):
        raise typer.BadParameter("--headcount FILE goes with --criterion headcount=WEIGHT, and the other way round")
    with registry(registry_url) as engine:
        with Session(engine) as session:
            parent = allocation.parent_of(session, ceiling_id)
            levels = allocation.LEVELS[parent.perimeter_type]
            kind = among.value if among else levels[0]
            if kind not in levels:
                raise JevonsError("There is nobody to allocate to", ceiling_id,
                                  f"no {kind} is below a {parent.perimeter_type}", f"use --among {' or '.join(levels)}")
            children = allocation.children_of(session, parent, kind, without or ())
        values: dict[str, dict[str, Any]] = {child.perimeter_id: {} for child in children}
        inputs: dict[str, Any] = {"without": sorted(without)} if without else {}

        def told(rows: Mapping[str, Mapping[str, Any]]) -> None:
            for name, row in rows.items():
                values[name].update(row)

        if headcount is not None:
            content, counts = _counted(headcount)
            told(allocation.headcounts(children, counts))
            inputs["headcount_file"] = headcount.name
            inputs["headcount_sha256"] = hashlib.sha256(content).hexdigest()
        if weights.keys() & {"past_use", "usefulness"}:
            build = snapshot.current(home())
            calls_count = "usefulness" in weights and usefulness_of == Basis.calls
            asked = {"past_use"} & weights.keys() or not calls_count
            for metric in [parent.metric] * bool(asked) + ["requests"] * calls_count:
                past = past_use(build, metric, parent.period_start, parent.period_end, days)
                rows = allocation.used(children, past)
                inputs |= {"build_id": past.build_id, "use_from": str(past.first), "use_to": str(past.end),
                           "days_without_data": past.missing_days}
                told(rows if metric == parent.metric else
                     {name: {"calls_by_class": row["use_by_class"]} for name, row in rows.items()})
            if "usefulness" in weights:
                told(allocation.useful(rows, by_class))
                inputs |= {"usefulness_of": usefulness_of.value,
                           "class_weights": {name: plain(weight) for name, weight in by_class.items()}}
        quantity = None if limit is None else _number(limit, "--limit", 24, 9)
        found = allocation.split(parent, kind, weights, values, inputs, quantity)
        _show(found)
        if not adopt:
            typer.echo("A proposal: nothing was recorded. Adopt it by the same with --adopt, --by and --reason.")
            return
        try:
            recording = Recording(recorded_by=by, reason=reason, recorded_at_utc=datetime.now(UTC))
            outcome = allocation.adopt(engine, found, recording)
        except ValidationError as error:
            name, rule, fix = problems(error)[0]
            raise JevonsError("No quota was adopted", name, rule, fix) from error
        if outcome.refused:
            first = outcome.refused[0]
            child = sorted(found.parts)[first.position]
            raise JevonsError("No quota was adopted", child, first.rule, first.fix)
        typer.echo(f"{len(outcome.accepted)} recorded, {len(outcome.unchanged)} unchanged, for {by}; the computation is"
                   f" kept as {found.allocation_id}.")


def allocations(
    allocation_id: Annotated[str | None, typer.Argument(help="One of them, with its shares and inputs.")] = None,
    registry_url: Url = None,
) -> None:
    """Shows the allocations that were adopted, or one of them, computed again from what was kept.

    Examples:

        jevons ceilings allocations

        jevons ceilings allocations allocation-0123456789abcdef
    """
    with registry(registry_url) as engine, Session(engine) as session:
        if allocation_id is None:
            columns = ["allocation_id", "parent_ceiling_id", "child_type", "quantity", "weights", "recorded_by",
                       "recorded_at_utc", "reason"]
            rows = session.scalars(select(Allocation).order_by(Allocation.row_id))
            show("allocations", columns, [row.model_dump() for row in rows])
            return
        row, found = allocation.kept(session, allocation_id)
        _show(found)
        typer.echo(f"Adopted by {row.recorded_by} at {row.recorded_at_utc:%Y-%m-%d %H:%M:%S} UTC: {row.reason}")
        if not allocation.as_it_was(found, allocation_id):
            raise JevonsError("It is not what was adopted", allocation_id,
                              "computed again from what is kept, it comes out otherwise",
                              "compare it with a copy of the registry: somebody wrote past the commands")
        typer.echo("Computed again from what is kept: the same shares, to the last digit.")


def _show(found: allocation.Split) -> None:
    """The split as a table, and what it was made of."""
    subject, inputs = found.subject, found.subject["inputs"]
    criteria = sorted(subject["weights"])
    title = (f"{plain(subject['quantity'])} of {subject['parent_ceiling_id']} by "
             + ", ".join(f"{name} ({subject['weights'][name]})" for name in criteria))
    show(title, [subject["child_type"], *criteria, "share", "quota"], [
        {subject["child_type"]: name, "share": part.share, "quota": part.quota}
        | {key: found.values[name][key] for key in criteria}
        for name, part in sorted(found.parts.items())
    ])
    if "build_id" in inputs:
        missing = inputs["days_without_data"]
        typer.echo(f"Past use: {inputs['use_from']} to before {inputs['use_to']}, build {inputs['build_id']}"
                   + (f"; {missing} of these days are not in it" if missing else "") + ".")
    if "class_weights" in inputs:
        said = ", ".join(f"{name} {weight}" for name, weight in inputs["class_weights"].items())
        typer.echo(f"Usefulness: {inputs['usefulness_of']} by class, times {said}.")
    for name, row in sorted(found.values.items()):
        if row.get("unknown_calls"):
            typer.echo(f"{name}: of {row['unknown_calls']} calls the use is unknown and not in these figures.")
        if row.get("unknown_workflows"):
            typer.echo(f"{name}: nothing is known of {', '.join(row['unknown_workflows'])}.")


def _weighed(words: Sequence[str], names: Sequence[str], option: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for word in words:
        name, _, weight = word.partition("=")
        if name not in names or name in found or not weight:
            raise typer.BadParameter(
                f"{word!r} is not one of {', '.join(names)}, once, with =WEIGHT", param_hint=option)
        found[name] = _number(weight, option, 9, 6)
    return found


def _number(text: str, option: str, precision: int, scale: int) -> Decimal:
    try:
        return decimal(text, precision, scale)
    except PydanticCustomError as error:
        raise typer.BadParameter(error.message(), param_hint=option) from error


def _counted(path: Path) -> tuple[bytes, dict[str, Decimal]]:
    """The headcounts of a file, and the file as it was read."""
    def wrong(line: int, rule: str, fix: str) -> JevonsError:
        return JevonsError("The headcounts cannot be read", f"{path.name}, line {line}", rule, fix)

    try:
        content = path.read_bytes()
        reader = csv.DictReader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)
        if reader.fieldnames is None or set(reader.fieldnames) != {"perimeter_id", "headcount"}:
            raise wrong(1, "its columns are not perimeter_id and headcount", "give these two, separated by a comma")
        counts: dict[str, Decimal] = {}
        for row in reader:
            name = (row["perimeter_id"] or "").strip()
            if name in counts:
                raise wrong(reader.line_num, f"{name} is there twice", "keep the row that is meant")
            try:
                counts[name] = decimal((row["headcount"] or "").strip(), 12, 3)
            except PydanticCustomError as error:
                raise wrong(reader.line_num, error.context["rule"], error.context["fix"]) from error
    except OSError as error:
        raise JevonsError("The headcounts cannot be read", str(path), (error.strerror or str(error)).lower(),
                          "correct the path") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise JevonsError("The headcounts cannot be read", str(path), "it is no CSV file in UTF-8",
                          "save it as one") from error
    return content, counts
