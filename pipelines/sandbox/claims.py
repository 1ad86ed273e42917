"""What is claimed of efficiency in the sandbox organisation, by vendors and by its own people.

What came true of it is in the warehouse; the days on which models were swapped are in stories.py.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.sandbox import stories

_SWAP = stories.MODEL_SWAP.day
_SIX_WEEKS = timedelta(weeks=6)


@dataclass(frozen=True)
class Claim:
    """A claim as the registry's CSV file holds it; None where it was not said."""

    claim_id: str
    claimant: str
    claim_text: str
    claimed_on: date
    claim_source: str
    claimed_saving_ratio: str
    functional_unit: str
    workload: str | None = None
    baseline: str | None = None
    hardware: str | None = None
    meter: str | None = None
    perimeter_type: str | None = None
    perimeter_id: str | None = None
    baseline_start: date | None = None
    baseline_end: date | None = None
    tested_start: date | None = None
    valid_from: date = date(2026, 1, 1)


CLAIMS = (
    Claim(
        "smaller-model-70", "Vendor of the smaller model",
        "Chats are answered with 70 percent less energy per call than by the model before",
        date(2026, 7, 1), "Letter to customers, made up for the sandbox", "0.7", "call",
        "Customer chats with answers of a few hundred tokens", "The larger model of the same vendor, same chats",
        None, "The vendor's own meter, per request; the customer has none",
        "workflow", "care-chat-assist", _SWAP - _SIX_WEEKS, _SWAP, _SWAP,
    ),
    Claim(
        "hundredfold", "Vendor of an accelerator", "100x less energy", date(2026, 5, 4),
        "Stage talk, made up for the sandbox", "0.99", "call",
    ),
    Claim(
        "caption-cache", "Integrator of a semantic cache", 
        "A cache in front of the model halves the energy of a caption",
        date(2026, 7, 1), "Offer, made up for the sandbox", "0.5", "call",
        "Captions of product pictures", "The same captions without a cache", None, "A meter at the model's host",
        "workflow", "image-captions", _SWAP - _SIX_WEEKS, _SWAP, _SWAP,
    ),
    Claim(
        "fewer-dialogues", "Data Science", "Dialogues that no test uses are no longer made: a fifth less in all",
        date(2026, 7, 10), "Team's note of July, made up for the sandbox", "0.2", "total",
        "All synthetic dialogues", "The six weeks before", "Own GPUs", "Their energy counters",
        "workflow", "synthetic-dialogues", _SWAP - _SIX_WEEKS, _SWAP, _SWAP,
    ),
)
