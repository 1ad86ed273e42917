"""What a body decides about an efficiency change: the outcome of a review, and what becomes of a proposed ceiling.

Whether a review is owed, or a ceiling proposed, is said by the marts; what a change is, by `changes`.
"""

from typing import Annotated, Any

from pydantic import BeforeValidator, model_validator

from pipelines.registry.drafts import Draft, Recording
from pipelines.registry.fields import Identifier, Instant, Limit, Role, one_of, refusal, shown, text

AFTER_DAYS = (30, 90)
OUTCOMES = ("keep", "cap", "retire", "hand_back")
DECISIONS = ("adopted", "declined")


def review_id(change_id: str, after_days: int | str) -> str:
    """The id of one of the two reviews of a change."""
    return f"{change_id}:{after_days}"


def _after_days(value: Any) -> int:
    if str(value) not in map(str, AFTER_DAYS):
        raise refusal(f"no review is owed after {shown(value)} days", "write 30 or 90")
    return int(value)


class Decision(Draft):
    """What a body decided, when and why; what is not given is the recorder's act."""

    decided_by: Role | None = None
    decided_at_utc: Instant | None = None
    reason: text(500) | None = None


class ReviewDraft(Decision):
    """The outcome of a workload review.

    Attributes:
        review_id: Made of the change and the days; another one is refused.
        after_days: Days after the change at which the review is owed.
        outcome: keep the workload as it is, cap it, retire it, or hand the saving back.
    """

    change_id: Identifier
    after_days: Annotated[int, BeforeValidator(_after_days)]
    outcome: one_of(*OUTCOMES)
    review_id: text(72) | None = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        name = review_id(values.get("change_id"), values.get("after_days"))
        if values.get("review_id", name) != name:
            raise refusal(f"the review is called {name}", "write that, or leave the column out", "review_id")
        return {**values, "review_id": name}


class RatchetDraft(Decision):
    """What became of the lower ceiling that a confirmed saving proposes.

    Attributes:
        ceiling_id: The ceiling that was, or was not, lowered.
        limit_before_quantity: What stood, in the unit of the ceiling's metric.
        limit_quantity: What stands after it; the same where it was declined.
    """

    change_id: Identifier
    decision: one_of(*DECISIONS)
    ceiling_id: Identifier
    limit_before_quantity: Limit
    limit_quantity: Limit


def completed(draft: Decision, before: Any, recording: Recording) -> Decision:
    """The draft with who decided, when and why; what stands with the same content keeps these.

    Args:
        before: The version that stands; None for the first decision.
    """
    act = {
        "decided_by": recording.recorded_by, "decided_at_utc": recording.recorded_at_utc, "reason": recording.reason,
    }
    given = {name: value for name, value in draft.model_dump().items() if name not in act or value is not None}
    if before is not None and all(
        getattr(before, name) == value for name, value in given.items() if name != "decided_at_utc"
    ):
        act = {name: getattr(before, name) for name in act}
    return draft.model_copy(update={name: value for name, value in act.items() if name not in given})
