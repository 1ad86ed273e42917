"""What somebody asks the registry to record about vendors: who they are, and what they answered to six questions.

What an answer is worth is said in the warehouse (`fct_vendor_register`); the tables belong in `models`.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, model_validator

from pipelines.registry.drafts import Draft
from pipelines.registry.fields import Day, Identifier, one_of, refusal, shown, text

QUESTIONS = (
    "workload_behind_claim", "baseline", "reporting_by_task", "hard_budgets", "small_model_routing", "background_off",
)
ANSWERS = ("yes", "partly", "no")


def _providers(value: Any) -> str:
    """Names as the ledger has them, in order, once each, with a space between them."""
    names = value.replace(",", " ").replace(";", " ").split() if isinstance(value, str) else []
    if not names or len(" ".join(names)) > 500:
        raise refusal(
            f"{shown(value)} names no provider", "write the names that usage has, with a space between them",
        )
    return " ".join(sorted(set(names)))


class VendorDraft(Draft):
    """Somebody who sells the use of models, and the providers in the ledger that stand for it.

    Attributes:
        providers: Their names as usage has them, with a space between them; no two vendors share one.
    """

    vendor_id: Identifier
    vendor_name: text(200)
    providers: Annotated[text(500), BeforeValidator(_providers)]


class VendorAnswerDraft(Draft):
    """What a vendor answered to one of the six questions.

    Attributes:
        evidence_title: What shows it: a contract's clause, a report, a page; without it an answer is only said.
        evidence_address: Where that can be read.
    """

    answer_id: Identifier
    vendor_id: Identifier
    question: one_of(*QUESTIONS)
    answer: one_of(*ANSWERS)
    answer_text: text(2000)
    evidence_title: text(300) | None = None
    evidence_address: text(500) | None = None
    answered_on_date: Day

    @model_validator(mode="after")
    def _titled(self) -> Self:
        if self.evidence_address and not self.evidence_title:
            raise refusal("evidence has an address and no title", "say what stands there", "evidence_title")
        return self


def shared(vendors: Iterable[Any]) -> dict[str, list[str]]:
    """Providers that several vendors claim, with the ids of these."""
    claimed: dict[str, list[str]] = defaultdict(list)
    for vendor in vendors:
        for provider in vendor.providers.split():
            claimed[provider].append(vendor.vendor_id)
    return {provider: sorted(ids) for provider, ids in claimed.items() if len(ids) > 1}


def asked_of(answer: Any) -> tuple:
    """What has one answer: a vendor, a question and a day."""
    return answer.vendor_id, answer.question, answer.answered_on_date


def contradicting(answers: Iterable[Any]) -> dict[tuple, list[str]]:
    """Questions that a vendor has several answers to on one day, with the ids of these."""
    found: dict[tuple, list[str]] = defaultdict(list)
    for answer in answers:
        found[asked_of(answer)].append(answer.answer_id)
    return {key: sorted(ids) for key, ids in found.items() if len(ids) > 1}
