"""The rule that ceilings below a ceiling sum to no more than it: workflows of a team, teams of a unit, units of all.

What one ceiling may become belongs in `ceilings`; who belongs where, in the registry's teams and workflows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pipelines.registry.ceilings import plain, scope_of
from pipelines.registry.drafts import CeilingDraft
from pipelines.registry.models import Ceiling, Team, Workflow

Place = tuple[str, str]  # (perimeter_type, perimeter_id)
ROOT: Place = ("organisation", "organisation")


@dataclass(frozen=True)
class Tree:
    """Who is below whom, as the registry knows it when a ceiling is adopted.

    Attributes:
        parents: The place that encloses each workflow, team and unit.
        children: The places that each one encloses.
    """

    parents: Mapping[Place, Place]
    children: Mapping[Place, list[Place]]


def tree_of(teams: Iterable[Team], workflows: Iterable[Workflow]) -> Tree:
    """The tree of what stands; countries and services cross it and are in none."""
    parents: dict[Place, Place] = {}
    for team in teams:
        parents["team", team.team_id] = ("unit", team.unit_id)
        parents["unit", team.unit_id] = ROOT
    for workflow in workflows:
        parents["workflow", workflow.workflow_id] = ("team", workflow.team_id)
    children: dict[Place, list[Place]] = defaultdict(list)
    for place in sorted(parents):
        children[parents[place]].append(place)
    return Tree(parents, children)


def objection(
    draft: CeilingDraft, rows: Iterable[Ceiling | CeilingDraft], tree: Tree
) -> tuple[str, str, str] | None:
    """Why the ceiling would make those below one sum to more than it, as (field, rule, fix), or None.

    A place without a ceiling of its own counts with what is below it, so that no level can be left out to hand out
    more. Ceilings are compared where metric and period are the same.

    Args:
        draft: What is to be adopted or lowered.
        rows: What stands, and what is adopted beside it; of several limits of one place the lowest counts.
    """
    limits: dict[Place, Decimal] = {}
    for row in rows:
        if scope_of(row)[2:] == scope_of(draft)[2:]:
            place = scope_of(row)[:2]
            limits[place] = min(row.limit_quantity, limits.get(place, row.limit_quantity))
    mine: Place = scope_of(draft)[:2]
    before = limits.get(mine)
    limits[mine] = draft.limit_quantity

    def below(place: Place) -> Decimal:
        return sum(
            (limits[child] if child in limits else below(child) for child in tree.children.get(place, ())), Decimal(0)
        )

    handed_out = below(mine)
    if handed_out > draft.limit_quantity:
        return (
            "limit_quantity",
            f"the ceilings below {_named(mine)} sum to {plain(handed_out)}, more than {plain(draft.limit_quantity)}",
            "lower those first",
        )
    if before is not None and draft.limit_quantity <= before:
        return None  # what is lowered asks for nothing
    parent = tree.parents.get(mine)
    while parent is not None and parent not in limits:
        parent = tree.parents.get(parent)
    if parent is None:
        return None
    others = below(parent) - draft.limit_quantity
    left = limits[parent] - others
    if draft.limit_quantity > left:
        return (
            "limit_quantity",
            f"with it the ceilings below {_named(parent)} would sum to {plain(others + draft.limit_quantity)}, more"
            f" than its {plain(limits[parent])}",
            f"adopt at most {plain(max(left, Decimal(0)))}, or lower the others first",
        )
    return None


def _named(place: Place) -> str:
    return "the organisation" if place == ROOT else f"the {place[0]} {place[1]}"
