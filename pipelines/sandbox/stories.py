"""The stories told by the sandbox, each with its dates, names and sizes, in one place.

How a story is turned into numbers does not belong here (see workloads.py, activity.py, gpus.py, grid.py).
All instants are UTC; days are counted from day 1 = 2026-06-01.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DATA_FROM = date(2026, 6, 1)
DATA_TO = date(2026, 8, 30)  # exclusive: the last day with data is 2026-08-29
DAY_COUNT = (DATA_TO - DATA_FROM).days
DEFAULT_SEED = 7


def day_number(day: date) -> int:
    """Return the number of a day, 1 for the first day of data."""
    return (day - DATA_FROM).days + 1


def day_of(number: int) -> date:
    """Return the day with this number, counted from 1."""
    return DATA_FROM + timedelta(days=number - 1)


@dataclass(frozen=True)
class ModelSwap:
    """Story 1: a cheaper model is rolled out, then volume grows until the total is above what it was.

    Attributes:
        day: first day (00:00 UTC) on which only the cheaper model is called.
        final_growth_ratio: calls on the last day, as a multiple of what they would have been.
    """

    day: date
    workflow_ids: tuple[str, ...]
    model_before: str
    model_after: str
    final_growth_ratio: float


MODEL_SWAP = ModelSwap(
    day=day_of(45),
    workflow_ids=("claims-triage", "claims-de-triage", "care-chat-assist"),
    model_before="gpt-5.4-2026-03-05",
    model_after="gpt-5.4-mini-2026-03-17",
    final_growth_ratio=5.5,
)

@dataclass(frozen=True)
class PromptCut:
    """Story 10: shorter prompts and answers, declared beforehand, reviewed after 30 days; volume does not follow.

    Attributes:
        day: first day (00:00 UTC) of the shorter prompt.
        input_scale, output_scale: length of what goes in and comes out from then on, where it was 1.6 and 1.
    """

    day: date
    workflow_id: str
    input_scale: float
    output_scale: float
    change_id: str
    expected_saving_ratio: str
    expected_source: str


PROMPT_CUT = PromptCut(
    day=day_of(40),
    workflow_id="care-voice-summaries",
    input_scale=1.0,
    output_scale=0.5,
    change_id="shorter-call-summaries",
    expected_saving_ratio="0.5",
    expected_source="Trial of the shorter prompt on 300 calls in June",
)

# Story 2: a key that no attribution rule names, in a project that no rule names either.
ORPHAN_API_KEY = "key_hackathon_2025"
ORPHAN_PROJECT = "proj_hackathon"
ORPHAN_TAG = "pilot-2025"  # the same at the gateway: a tag that nobody declared

# Story 3: more than a third of this workflow's calls are repeats.
RETRY_WORKFLOW = "pricing-vehicle-lookup"
RETRY_RATIO = 0.35

# Story 4: runs at 02:00 UTC each night, and nobody counts what it brings.
NIGHTLY_WORKFLOW = "archive-relabelling"
NIGHTLY_HOUR_UTC = 2

# Story 5: four GPUs that draw 60-90 W each and hold no pod.
BUSY_HOST = "gpu-node-1"
IDLE_HOST = "gpu-node-2"
GPUS_PER_HOST = 4


@dataclass(frozen=True)
class Restatement:
    """Story 6: a vendor reports a day too low at first.

    Attributes:
        original_ratio: what the first report showed, as a ratio of the later one.
        last_original_as_of: the last date on which the first report is still served.
    """

    day: date
    original_ratio: float
    last_original_as_of: date


RESTATEMENT = Restatement(day=day_of(60), original_ratio=0.82, last_original_as_of=date(2026, 8, 1))

# Story 7: the gateway's file of this day does not exist.
MISSING_CALL_LOG_DAY = date(2026, 7, 12)

# Story 8: a model, and a provider, for which nobody has published a factor.
UNKNOWN_MODEL = "acme-llm-1"
UNKNOWN_MODEL_PROVIDER = "acme"
UNLISTED_PROVIDER = "deepseek"


@dataclass(frozen=True)
class TelemetryEvents:
    """What goes wrong in GPU telemetry: a counter reset, a scrape gap, a GPU that changes hands mid-hour."""

    counter_reset_utc: datetime
    gap_from_utc: datetime
    gap_to_utc: datetime
    relabel_utc: datetime
    relabel_gpu: int
    relabel_pod_before: str
    relabel_pod_after: str


TELEMETRY = TelemetryEvents(
    counter_reset_utc=datetime(2026, 7, 21, 14, 37, tzinfo=UTC),
    gap_from_utc=datetime(2026, 6, 24, 9, 10, tzinfo=UTC),
    gap_to_utc=datetime(2026, 6, 24, 9, 20, tzinfo=UTC),
    relabel_utc=datetime(2026, 6, 17, 15, 30, tzinfo=UTC),
    relabel_gpu=1,
    relabel_pod_before="llama-chat-0",
    relabel_pod_after="mistral-summary-1",
)

# The grid has a hole too: these hours of the German zone were never published.
GRID_GAP_ZONE = "DE"
GRID_GAP_FROM_UTC = datetime(2026, 7, 6, 9, tzinfo=UTC)
GRID_GAP_TO_UTC = datetime(2026, 7, 6, 15, tzinfo=UTC)

# Story 9: an agent, whose log says which step of which run each call was; a few runs take most of the energy.
AGENT_WORKFLOW = "test-generation"

# A workflow that was switched off, and a key that was handed from one workflow to another.
RETIRED_WORKFLOW = "cv-screening-notes"
RETIRED_FROM = date(2026, 7, 1)
HANDOVER_API_KEY = "key_quote_explainer"
HANDOVER_DAY = date(2026, 8, 1)
