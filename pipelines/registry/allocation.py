"""Quotas of a ceiling for those below it: by headcount, past use and usefulness, kept with all that they were made of.

The arithmetic belongs in `apportionment`, words on a terminal in `allocation_commands`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, select
from sqlmodel import Session

from pipelines.errors import JevonsError
from pipelines.registry import book, ceilings
from pipelines.registry.allocation_tables import Allocation, AllocationShare
from pipelines.registry.apportionment import Criterion, Part, apportioned
from pipelines.registry.ceilings import plain
from pipelines.registry.drafts import COUNTED, CeilingDraft, Recording
from pipelines.registry.models import KINDS, Ceiling
from pipelines.registry.past_use import PastUse
from pipelines.registry.store import current, versions
from pipelines.registry.tree import Place, tree_of

CRITERIA = ("headcount", "past_use", "usefulness")
LEVELS = {"organisation": ("unit", "team", "workflow"), "unit": ("team", "workflow"), "team": ("workflow",)}
# What a kWh or a call of a class weighs by usefulness, where nobody says otherwise.
CLASS_WEIGHTS = {
    "essential": Decimal("1"), "useful": Decimal("0.75"), "comfort": Decimal("0.5"), "experimental": Decimal("0.25"),
}
_DECIMALS = 3  # of a quota, where the limit has no more of them


@dataclass(frozen=True)
class Child:
    """One that gets a quota: its id, and its workflows that run, each with its class."""

    perimeter_id: str
    workflows: Mapping[str, str]


@dataclass(frozen=True)
class Split:
    """A computation, before or after it was adopted.

    Attributes:
        subject: Columns of `Allocation` that say what is split and how; `weights` and `inputs` as values.
        values: By child: criterion to value, and what was noted of it.
        parts: By child: share and quota.
    """

    subject: Mapping[str, Any]
    values: Mapping[str, Mapping[str, Any]]
    parts: Mapping[str, Part]

    @property
    def allocation_id(self) -> str:
        """Made from all of it: the same computation has the same id, a changed one another."""
        quotas = {name: [plain(part.share), plain(part.quota)] for name, part in self.parts.items()}
        said = {name: plain(value) if isinstance(value, Decimal) else str(value) if name.startswith("period") else value
                for name, value in self.subject.items()}
        content = json.dumps([said, self.values, quotas], sort_keys=True)
        return "allocation-" + hashlib.sha256(content.encode()).hexdigest()[:16]


def parent_of(session: Session, ceiling_id: str) -> Ceiling:
    """The ceiling that is to be split, as it stands.

    Raises:
        JevonsError: there is none, or nothing is below its perimeter.
    """
    for row in ceilings.standing(versions(session, KINDS["ceilings"], ceiling_id)):
        if row.perimeter_type in LEVELS:
            return row
        raise JevonsError(
            "There is nothing to allocate", ceiling_id, f"nothing is below a {row.perimeter_type.replace('_', ' ')}",
            "allocate a ceiling of the organisation, a unit or a team",
        )
    raise JevonsError(
        "There is nothing to allocate", ceiling_id, "the registry holds no such ceiling",
        "look it up with `jevons ceilings list`",
    )


def children_of(session: Session, parent: Ceiling, kind: str, without: Sequence[str] = ()) -> list[Child]:
    """Those below the parent, sorted by id: not what has ended before the period, nor workflows that are retired."""
    teams, workflows = (
        {name: row for name, row in current(session, KINDS[table]).items()
         if (row.valid_to is None or row.valid_to > parent.period_start) and getattr(row, "status", "") != "retired"}
        for table in ("teams", "workflows")
    )
    workflows = {name: row for name, row in workflows.items() if row.team_id in teams}
    around = tree_of(teams.values(), workflows.values())

    def below(place: Place, wanted: str) -> list[Place]:
        found = []
        for child in around.children.get(place, ()):
            found += [child] if child[0] == wanted else below(child, wanted)
        return found

    children = sorted(name for _, name in below((parent.perimeter_type, parent.perimeter_id), kind))
    strange = sorted(set(without) - set(children))
    if strange or not set(children) - set(without):
        raise JevonsError(
            "There is nobody to allocate to", parent.ceiling_id,
            f"no {kind} below it is called {strange[0]}" if strange else f"it has no {kind} below it",
            "correct --without" if strange else "import teams and workflows first, or choose another level: --among",
        )
    return [
        Child(name, {
            workflow: workflows[workflow].usefulness_class
            for _, workflow in ([(kind, name)] if kind == "workflow" else below((kind, name), "workflow"))
        })
        for name in children if name not in without
    ]


def headcounts(children: Sequence[Child], told: Mapping[str, Decimal]) -> dict[str, dict[str, Any]]:
    """The value of each child by headcount.

    Raises:
        JevonsError: somebody is missing, or is none of the children.
    """
    names = {child.perimeter_id for child in children}
    for wrong, why in ((names - set(told), "no headcount is given for {}"), (set(told) - names, "{} is none of them")):
        if wrong:
            raise JevonsError("The headcounts do not fit", "--headcount", why.format(", ".join(sorted(wrong))),
                              "give one row for each of: " + ", ".join(sorted(names)))
    return {name: {"headcount": plain(told[name])} for name in names}


def used(children: Sequence[Child], past: PastUse) -> dict[str, dict[str, Any]]:
    """The value of each child by past use, and its use by class; calls of which it is not known are said.

    Raises:
        JevonsError: of one of them nothing is known: neither zero nor a guess stands in for that.
    """
    found, unknown = {}, []
    for child in children:
        by_class: dict[str, Decimal] = {}
        uses = {workflow: past.workflows.get(workflow) for workflow in child.workflows}
        known = [use for use in uses.values() if use is not None and use.quantity is not None]
        if not known:
            unknown.append(child.perimeter_id)
            continue
        for workflow, use in uses.items():
            if use in known:
                name = child.workflows[workflow]
                by_class[name] = by_class.get(name, Decimal(0)) + use.quantity
        found[child.perimeter_id] = {
            "past_use": plain(sum(by_class.values(), Decimal(0))),
            "use_by_class": {name: plain(value) for name, value in sorted(by_class.items())},
            "unknown_calls": sum(use.unknown_calls for use in uses.values() if use is not None),
            "unknown_workflows": sorted(workflow for workflow, use in uses.items() if use not in known),
        }
    if unknown:
        raise JevonsError(
            "Past use is not known of all", f"build {past.build_id}, {past.first} to before {past.end}",
            f"nothing is known of {', '.join(unknown)}",
            "split by headcount, choose other days with --days, or leave them out with --without",
        )
    return found


def useful(values: Mapping[str, Mapping[str, Any]], weights: Mapping[str, Decimal]) -> dict[str, dict[str, Any]]:
    """The value of each child by usefulness: use by class, times what the class weighs."""
    return {
        name: {"usefulness": plain(sum(
            (Decimal(use) * weights[of_class] for of_class, use in row["use_by_class"].items()), Decimal(0)))}
        for name, row in values.items()
    }


def split(
    parent: Ceiling, kind: str, weights: Mapping[str, Decimal], values: Mapping[str, Mapping[str, Any]],
    inputs: Mapping[str, Any], quantity: Decimal | None = None,
) -> Split:
    """Splits what the parent has, or less, by the values of the children.

    Args:
        weights: Criterion to its weight; they sum to 1.
        inputs: What the values were made of, kept with the computation.

    Raises:
        JevonsError: more is asked for than the parent has, in parts of what has none, or nobody has any of a criterion.
    """
    quantity = parent.limit_quantity if quantity is None else quantity
    if quantity > parent.limit_quantity:
        raise JevonsError("That is more than there is", "--limit", f"{plain(quantity)} is above the"
                          f" {plain(parent.limit_quantity)} of {parent.ceiling_id}", "allocate at most that")
    decimals = 0 if parent.metric in COUNTED else max(_DECIMALS, len(plain(quantity).partition(".")[2]))
    if parent.metric in COUNTED and quantity != int(quantity):
        raise JevonsError("It cannot be split", "--limit", f"there is no part of {COUNTED[parent.metric]}",
                          "write a whole number")
    for name in weights:
        if not any(Decimal(row[name]) for row in values.values()):
            raise JevonsError("It cannot be split", f"--criterion {name}", "nobody has any of it", "leave it out")
    subject = {
        "parent_ceiling_id": parent.ceiling_id, "perimeter_type": parent.perimeter_type,
        "perimeter_id": parent.perimeter_id, "metric": parent.metric, "period_start": parent.period_start,
        "period_end": parent.period_end, "quantity": quantity, "decimals": decimals, "child_type": kind,
        "weights": {name: plain(weight) for name, weight in weights.items()}, "inputs": dict(inputs),
    }
    return recomputed(subject, values)


def recomputed(subject: Mapping[str, Any], values: Mapping[str, Mapping[str, Any]]) -> Split:
    """The computation from what was kept of it."""
    criteria = [
        Criterion(name, Decimal(weight), {child: Decimal(row[name]) for child, row in values.items()})
        for name, weight in sorted(subject["weights"].items())
    ]
    return Split(subject, values, apportioned(subject["quantity"], subject["decimals"], criteria))


def adopt(engine: Engine, found: Split, recording: Recording) -> book.Outcome:
    """Adopts all quotas as ceilings, each with the computation as its evidence, or none of them."""
    subject = found.subject
    drafts = [
        CeilingDraft(
            perimeter_type=subject["child_type"], perimeter_id=name, metric=subject["metric"],
            period_start=subject["period_start"], period_end=subject["period_end"], limit_quantity=part.quota,
            adopted_by=recording.recorded_by, reason=recording.reason, evidence=found.allocation_id,
        )
        for name, part in sorted(found.parts.items())
    ]

    def keep(session: Session) -> None:
        known = select(Allocation.row_id).where(Allocation.allocation_id == found.allocation_id)
        if session.scalars(known).first() is not None:
            return
        session.add(Allocation(
            **{**subject, "weights": json.dumps(subject["weights"]), "inputs": json.dumps(subject["inputs"])},
            allocation_id=found.allocation_id, recorded_at_utc=recording.recorded_at_utc,
            recorded_by=recording.recorded_by, reason=recording.reason,
        ))
        for name, part in sorted(found.parts.items()):
            session.add(AllocationShare(
                allocation_id=found.allocation_id, perimeter_id=name, inputs=json.dumps(found.values[name]),
                share=part.share, quota_quantity=part.quota,
            ))

    return book.record(engine, KINDS["ceilings"], drafts, recording, keep)


def kept(session: Session, allocation_id: str) -> tuple[Allocation, Split]:
    """A computation as it was kept: the row, and its content, not computed again.

    Raises:
        JevonsError: there is none of that id.
    """
    row = session.scalars(select(Allocation).where(Allocation.allocation_id == allocation_id)).first()
    if row is None:
        raise JevonsError("There is no such allocation", allocation_id, "the registry never held this id",
                          "look it up with `jevons ceilings allocations`")
    query = select(AllocationShare).where(AllocationShare.allocation_id == allocation_id)
    shares = sorted(session.scalars(query), key=lambda share: share.perimeter_id)
    subject = {name: getattr(row, name) for name in (
        "parent_ceiling_id", "perimeter_type", "perimeter_id", "metric", "period_start", "period_end", "quantity",
        "decimals", "child_type")} | {"weights": json.loads(row.weights), "inputs": json.loads(row.inputs)}
    return row, Split(
        subject, {share.perimeter_id: json.loads(share.inputs) for share in shares},
        {share.perimeter_id: Part(share.share, share.quota_quantity) for share in shares},
    )


def as_it_was(found: Split, allocation_id: str) -> bool:
    """Whether what was kept has the id that it was kept under, and comes out the same when it is computed again."""
    again = recomputed(found.subject, found.values)
    return found.allocation_id == allocation_id and again.parts == found.parts
