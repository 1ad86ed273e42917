"""What somebody asks the registry to record about an efficiency change: what was to be saved, where, and who says so.

What a change did belongs in the marts; its table in `models`, what is decided about it in `decisions`.
"""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator

from pipelines.registry.drafts import Lasting
from pipelines.registry.fields import Day, Identifier, Role, decimal, identifier, one_of, refusal, shown, text

CHANGE_TYPES = (
    "model_swap", "price_cut", "prompt_cut", "cache", "batching", "quantisation", "hardware", "routing", "undeclared",
)
ORIGINS = ("declared", "detected")
BY_DESIGN = "randomised order"
WORKFLOWS = ";"  # between the ids of one cell


def _ratio(value: Any) -> Decimal:
    ratio = decimal(value, 9, 8)
    if ratio > 1:
        raise refusal(f"nobody saves more than all, and {shown(value)} is above 1", "write 0.4 for two fifths less")
    return ratio


def _workflows(value: Any) -> str:
    ids = [part.strip() for part in str(value).split(WORKFLOWS)]
    for part in ids:
        identifier(part)
    if len(set(ids)) < len(ids):
        raise refusal("a workflow is named twice", "name each once")
    return WORKFLOWS.join(sorted(ids))


class ChangeDraft(Lasting):
    """A change that is to make work with models more efficient, in one or several workflows on one day.

    Attributes:
        change_type: `undeclared` where a change was seen in the data and nobody has said yet what it was.
        change_date: First day (UTC) on which it is in force.
        workflow_ids: Separated by semicolons.
        expected_saving_ratio: Part of the energy of the same work that is to be saved.
        expected_source: Who says so, or what was measured.
        design: `randomised order` where chance decided which workflow came first; empty otherwise.
        owner: Who owes its reviews; None for the owners of the workflows.
        origin: `detected` where it was seen before anybody declared it.
        valid_to: Exclusive. Equal to `valid_from`, it withdraws the change.
    """

    withdrawable = True

    change_id: Identifier
    change_type: one_of(*CHANGE_TYPES)
    change_date: Day
    workflow_ids: Annotated[str, BeforeValidator(_workflows)]
    expected_saving_ratio: Annotated[Decimal, BeforeValidator(_ratio)] | None = None
    expected_source: text(500) | None = None
    design: one_of(BY_DESIGN) | None = None
    owner: Role | None = None
    origin: one_of(*ORIGINS) = "declared"
    valid_from: Day
    valid_to: Day | None = None
