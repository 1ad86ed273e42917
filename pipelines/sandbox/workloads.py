"""How much each workflow asks of which model: the streams of calls, with their calendar and their habits.

Turning a stream into hours and rows belongs in activity.py. All volumes are invented.
"""

from dataclasses import dataclass, replace
from datetime import date

from pipelines.sandbox import stories
from pipelines.sandbox.organisation import MODEL_BY_NAME, TEAM_BY_ID
from pipelines.sandbox.workflows import WORKFLOW_BY_ID


@dataclass(frozen=True)
class Stream:
    """Calls of one kind: one workflow, one model, one identity.

    Attributes:
        route: "openai" (seen in OpenAI's usage API, in hourly sums) or "call_log" (seen by the gateway, call by call).
        calls_per_day: first calls on a Monday in June; retries come on top.
        shape: key of shapes.TOKEN_SHAPES, or "embed".
        cached_ratio: share of input tokens that the vendor served from its cache.
        retry_ratio: share of all calls that repeat an earlier one.
        tag: workflow tag that the gateway saw, or None.
        active_from, active_to: days on which it runs, half-open.
        growth_to: multiple of its volume that it reaches linearly on the last day of data.
    """

    stream_id: str
    route: str
    workflow_id: str | None
    model: str
    country: str
    calls_per_day: float
    shape: str
    calendar: str = "office"
    input_scale: float = 1.0
    output_scale: float = 1.0
    cached_ratio: float = 0.0
    cache_write_ratio: float = 0.0
    error_ratio: float = 0.015
    retry_ratio: float = 0.02
    call_purpose: str = "interactive"
    lifecycle_stage: str = "inference"
    api_key_id: str | None = None
    project_id: str | None = None
    user_id: str | None = None
    tag: str | None = None
    batch: bool = False
    service_tier: str = "default"
    active_from: date = stories.DATA_FROM
    active_to: date = stories.DATA_TO
    growth_to: float = 1.12

    @property
    def provider(self) -> str:
        """The provider of the stream's model."""
        return MODEL_BY_NAME[self.model].provider


_GPT54, _MINI54, _NANO54 = "gpt-5.4-2026-03-05", "gpt-5.4-mini-2026-03-17", "gpt-5.4-nano-2026-03-17"
_GPT41, _MINI41, _GPT4O = "gpt-4.1-2025-04-14", "gpt-4.1-mini-2025-04-14", "gpt-4o-2024-08-06"
_MINI4O, _MINI5, _O4 = "gpt-4o-mini-2024-07-18", "gpt-5-mini-2025-08-07", "o4-mini-2025-04-16"
_EMBED = "text-embedding-3-small"
_LLAMA, _NEMO = "meta-llama/Meta-Llama-3.1-70B-Instruct", "mistralai/Mistral-Nemo-Instruct-2407"

# (workflow, model, calls a day, token shape, what differs from Stream's defaults)
_OPENAI: tuple[tuple[str, str, float, str, dict], ...] = (
    ("claims-triage", _GPT54, 9000, "conv", {"cached_ratio": 0.3}),
    ("claims-photo-notes", _GPT4O, 2500, "conv", {}),
    ("claims-invoice-extract", _MINI41, 6000, "code", {"batch": True, "calendar": "always"}),
    ("claims-de-triage", _GPT54, 5000, "conv", {"cached_ratio": 0.3}),
    ("claims-de-police-reports", _MINI41, 3200, "code", {}),
    ("care-chat-assist", _GPT54, 12000, "conv", {"calendar": "evening", "cached_ratio": 0.45}),
    ("care-voice-summaries", _MINI4O, 14000, "conv", {"calendar": "evening", "input_scale": 1.6}),
    ("care-email-routing", _NANO54, 18000, "code", {"calendar": "evening", "cached_ratio": 0.2}),
    ("care-knowledge-search", _EMBED, 16000, "embed", {"calendar": "evening"}),
    ("care-knowledge-search", _MINI5, 8000, "conv", {"calendar": "evening", "cached_ratio": 0.35}),
    ("image-captions", _MINI4O, 3000, "conv", {}),
    ("seo-rewrites", _GPT4O, 1800, "conv", {}),
    ("newsletter-personalisation", _MINI41, 9000, "conv", {"batch": True, "calendar": "always"}),
    ("lead-research", _O4, 2200, "conv", {"output_scale": 2.5}),
    ("call-notes", _MINI4O, 7000, "conv", {"input_scale": 1.6}),
    ("crm-cleanup", _NANO54, 5000, "code", {"batch": True, "calendar": "always"}),
    ("quote-explainer", _MINI5, 5200, "conv", {"calendar": "evening"}),
    ("broker-questions", _GPT41, 2600, "conv", {"cached_ratio": 0.25}),
    ("code-review-bot", _GPT41, 2400, "code", {"output_scale": 4.0}),
    ("internal-docs-search", _EMBED, 6000, "embed", {}),
    ("internal-docs-search", _MINI5, 2600, "conv", {"cached_ratio": 0.2}),
    ("feature-descriptions", _GPT41, 900, "code", {"output_scale": 3.0}),
    ("code-completion", _MINI41, 20000, "code", {"cached_ratio": 0.4, "service_tier": "priority"}),
    ("ticket-triage", _NANO54, 4200, "code", {}),
    ("dependency-review", _O4, 1100, "code", {"output_scale": 8.0, "service_tier": "flex"}),
    ("invoice-coding", _MINI4O, 5200, "code", {"batch": True}),
    ("expense-checks", _NANO54, 3600, "code", {}),
    ("audit-evidence-search", _EMBED, 3000, "embed", {}),
    ("audit-evidence-search", _GPT41, 700, "conv", {}),
    ("litigation-timelines", _GPT4O, 600, "conv", {"input_scale": 2.0}),
    ("hr-helpdesk", _MINI5, 3400, "conv", {"cached_ratio": 0.3, "cache_write_ratio": 0.05}),
    ("cv-screening-notes", _GPT4O, 800, "conv", {"active_to": stories.RETIRED_FROM}),
)
# Several workflows behind one key: the key's usage is split by the shares of ownership.py.
_SHARED_KEYS = {
    "image-captions": "key_marketing_shared",
    "seo-rewrites": "key_marketing_shared",
    "newsletter-personalisation": "key_marketing_shared",
    "invoice-coding": "key_finance_shared",
    "expense-checks": "key_finance_shared",
    "audit-evidence-search": "key_finance_shared",
}

_CALL_LOG: tuple[tuple[str, str, float, str, dict], ...] = (
    ("claims-letter-drafts", "claude-sonnet-4-5", 120, "conv", {"cached_ratio": 0.3}),
    ("claims-fraud-hints", _LLAMA, 200, "conv", {}),
    ("claims-de-summaries", _NEMO, 230, "conv", {}),
    ("claims-de-subrogation", "mistral-large-2512", 90, "conv", {}),
    ("claims-de-translation", "gemini-2.5-flash", 150, "conv", {"calendar": "always"}),
    ("care-quality-review", "claude-haiku-4-5", 170, "conv", {"call_purpose": "batch", "calendar": "evening"}),
    ("campaign-copy", "claude-sonnet-4-5", 85, "conv", {}),
    ("social-listening", _NEMO, 220, "conv", {"calendar": "always", "call_purpose": "background"}),
    ("proposal-drafts", "claude-opus-4-5", 40, "conv", {"output_scale": 2.0}),
    (stories.RETRY_WORKFLOW, "gemini-2.5-flash-lite", 160, "code",
     {"retry_ratio": stories.RETRY_RATIO, "error_ratio": 0.03, "call_purpose": "interactive"}),
    ("tariff-comparison", "gemini-2.5-flash", 100, "conv", {}),
    ("pricing-model-notes", "mistral-large-2512", 40, "conv", {}),
    ("market-watch", "command-a-03-2025", 75, "conv", {"call_purpose": "batch"}),
    ("incident-summaries", _LLAMA, 140, "conv", {"calendar": "always"}),
    ("log-anomaly-notes", "codestral-2508", 190, "code", {"calendar": "always", "call_purpose": "background"}),
    ("gateway-evaluations", "claude-haiku-4-5", 260, "code",
     {"calendar": "weekly", "call_purpose": "evaluation", "lifecycle_stage": "evaluation"}),
    ("gateway-evaluations", "mistral-small-2603", 260, "code",
     {"calendar": "weekly", "call_purpose": "evaluation", "lifecycle_stage": "evaluation"}),
    (stories.NIGHTLY_WORKFLOW, "mistral-small-2603", 380, "code",
     {"calendar": "nightly", "call_purpose": "background", "lifecycle_stage": "data_pipeline"}),
    ("synthetic-dialogues", _LLAMA, 160, "conv", {"lifecycle_stage": "experiment", "call_purpose": "batch"}),
    ("model-comparison-lab", stories.UNKNOWN_MODEL, 90, "conv", {"lifecycle_stage": "experiment"}),
    ("forecast-narratives", "gemini-2.5-pro", 25, "conv", {}),
    ("test-generation", "claude-sonnet-4-5", 130, "code", {"output_scale": 3.0, "cached_ratio": 0.4}),
    ("release-notes", "deepseek-chat", 55, "code", {}),
    ("monthly-report-drafts", "claude-opus-4-5", 22, "conv", {}),
    ("cash-forecast-notes", "mistral-small-2603", 45, "conv", {}),
    ("contract-review", "claude-opus-4-5", 40, "conv", {"input_scale": 2.0}),
    ("clause-search", "command-r7b-12-2024", 110, "conv", {}),
    ("gdpr-request-drafts", "mistral-large-2512", 35, "conv", {}),
    ("regulatory-watch", "command-a-03-2025", 95, "conv", {"calendar": "always", "call_purpose": "background"}),
    ("job-ad-drafts", "claude-haiku-4-5", 55, "conv", {}),
    ("training-quiz-maker", "gemini-2.5-flash", 45, "conv", {}),
    ("policy-translations", "mistral-small-2603", 65, "conv", {"call_purpose": "batch"}),
    # The gateway also sees a few OpenAI calls. OpenAI's own report counts them; they must not be booked twice.
    ("broker-questions", _GPT41, 60, "conv", {}),
    ("internal-docs-search", _MINI5, 50, "conv", {}),
)
# Workflows whose callers send no tag: the gateway knows only their key.
UNTAGGED_GATEWAY_WORKFLOWS = ("clause-search", "proposal-drafts", "job-ad-drafts")


def _country(workflow_id: str) -> str:
    return TEAM_BY_ID[WORKFLOW_BY_ID[workflow_id].team_id].country


def key_of(workflow_id: str) -> str:
    """Return the OpenAI API key with which a workflow calls."""
    return _SHARED_KEYS.get(workflow_id, "key_" + workflow_id.replace("-", "_"))


def project_of(workflow_id: str) -> str:
    """Return the OpenAI project of a workflow: one for each team."""
    return "proj_" + WORKFLOW_BY_ID[workflow_id].team_id.replace("-", "_")


def _openai(row: tuple[str, str, float, str, dict]) -> list[Stream]:
    workflow, model, calls, shape, extra = row
    key = key_of(workflow)
    stream = Stream(
        f"openai/{workflow}/{model}", "openai", workflow, model, _country(workflow), calls, shape,
        **{"api_key_id": key, "project_id": project_of(workflow), "user_id": "user_" + key[4:], **extra},
    )
    cut = stories.PROMPT_CUT
    if workflow == cut.workflow_id:
        shorter = replace(
            stream, stream_id=f"{stream.stream_id}/shorter", active_from=cut.day, input_scale=cut.input_scale,
            output_scale=cut.output_scale, growth_to=1.0,
        )
        return [replace(stream, active_to=cut.day), shorter]
    swap = stories.MODEL_SWAP
    if workflow not in swap.workflow_ids:
        return [stream]
    after = replace(stream, stream_id=f"openai/{workflow}/{swap.model_after}", model=swap.model_after)
    return [
        replace(stream, active_to=swap.day, growth_to=1.0),
        replace(after, active_from=swap.day, growth_to=swap.final_growth_ratio),
    ]


def _call_log(row: tuple[str, str, float, str, dict]) -> Stream:
    workflow, model, calls, shape, extra = row
    tagged = workflow not in UNTAGGED_GATEWAY_WORKFLOWS
    if MODEL_BY_NAME[model].provider == "openai":
        extra = {"api_key_id": key_of(workflow), "project_id": project_of(workflow), **extra}
    else:
        extra = {"api_key_id": "gw_" + WORKFLOW_BY_ID[workflow].team_id.replace("-", "_"), **extra}
    if not tagged:
        extra["api_key_id"] = "gw_" + workflow.replace("-", "_")
    return Stream(
        f"call_log/{workflow}/{model}", "call_log", workflow, model, _country(workflow), calls, shape,
        tag=workflow if tagged else None, **extra,
    )


# Use that no workflow owns: an unknown key, an unknown tag, and calls without any identity at all.
_OWNERLESS = (
    Stream("openai/hackathon", "openai", None, _GPT4O, "FRA", 1500, "conv", "always",
           api_key_id=stories.ORPHAN_API_KEY, project_id=stories.ORPHAN_PROJECT, user_id="user_hackathon"),
    Stream("openai/hosted-tools", "openai", None, _MINI4O, "USA", 400, "conv"),
    Stream("openai/playground", "openai", "internal-docs-search", _GPT41, "FRA", 300, "conv",
           project_id="proj_playground"),
    Stream("call_log/pilot", "call_log", None, "claude-haiku-4-5", "DEU", 40, "conv", tag=stories.ORPHAN_TAG),
    Stream("call_log/anonymous", "call_log", None, "gemini-2.5-flash", "FRA", 25, "conv"),
)

STREAMS = (
    tuple(stream for row in _OPENAI for stream in _openai(row)) + tuple(map(_call_log, _CALL_LOG)) + _OWNERLESS
)
OPENAI_STREAMS = tuple(stream for stream in STREAMS if stream.route == "openai")
CALL_LOG_STREAMS = tuple(stream for stream in STREAMS if stream.route == "call_log")
