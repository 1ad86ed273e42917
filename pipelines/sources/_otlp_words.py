"""The names that spans of model calls carry: three vocabularies and Claude Code's own, and which spans are model calls.

Both readers of spans go by these tables: the SQL of `_otlp_spans` and the Python of `_otlp_payload`. How a payload is
opened does not belong here.

Vocabularies: OpenTelemetry's GenAI conventions up to 1.26, from 1.27 to 1.41, and of the repository
semantic-conventions-genai (2026); OpenLLMetry's `llm.*` and older underscored names; OpenInference's `llm.*`. All are
in development. UNVERIFIED: from which version on `gen_ai.provider.name` stands for `gen_ai.system` (either is read),
and that Claude Code names a request as `request_id`.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

OPERATION = "gen_ai.operation.name"
OPENINFERENCE_KIND, OPENLLMETRY_TYPE, OPENLLMETRY_KIND = (
    "openinference.span.kind", "llm.request.type", "traceloop.span.kind")
CLAUDE_CODE_SPAN = "claude_code.llm_request"
VENDOR_SCOPES = ("com.anthropic.claude-platform",)
"""Scopes of spans that a vendor sends of its own side; the caller's spans of the same requests go before them."""

SIGNALS = ("resourceSpans", "resourceMetrics", "resourceLogs")

INFERENCE = ("chat", "generate_content", "text_completion", "embeddings")
OTHER = ("create_agent", "invoke_agent", "invoke_workflow", "execute_tool", "fetch_response", "retrieval", "plan")
"""Operations that repeat the tokens of the calls below them, or use none."""
OPENINFERENCE_CALLS, OPENLLMETRY_CALLS = ("llm", "embedding"), ("chat", "completion", "embedding")

TOKENS = {
    "input_tokens": ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt",
                     "llm.usage.prompt_tokens", "input_tokens"),
    "cached_input_tokens": ("gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.cache_read_input_tokens",
                            "llm.token_count.prompt_details.cache_read", "cache_read_tokens"),
    "cache_write_input_tokens": ("gen_ai.usage.cache_write.input_tokens", "gen_ai.usage.cache_creation.input_tokens",
                                 "gen_ai.usage.cache_creation_input_tokens", "gen_ai.usage.cache_write_input_tokens",
                                 "llm.token_count.prompt_details.cache_write", "cache_creation_tokens"),
    "output_tokens": ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion",
                      "llm.usage.completion_tokens", "output_tokens"),
    "reasoning_output_tokens": ("gen_ai.usage.reasoning.output_tokens", "gen_ai.usage.reasoning_tokens",
                                "llm.token_count.completion_details.reasoning"),
}
TEXTS = {
    "operation": (OPERATION,),
    "openinference_kind": (OPENINFERENCE_KIND,),
    "openllmetry_type": (OPENLLMETRY_TYPE,),
    "openllmetry_kind": (OPENLLMETRY_KIND,),
    "provider": ("gen_ai.provider.name", "gen_ai.system", "llm.provider", "llm.system"),
    "model": ("gen_ai.response.model", "llm.response.model", "gen_ai.request.model", "llm.request.model",
              "llm.model_name", "embedding.model_name", "model"),
    "vendor_request_id": ("anthropic.request.id", "request_id"),
    "error_type": ("error.type",),
}
RESOURCE = {
    "service_name": ("service.name",),
    "pod": ("k8s.pod.name",),
    "node": ("k8s.node.name", "host.name"),
}

HIDDEN = "?"
LONGEST_TEXT = 200
PERSONAL = r"[\x00-\x1f]|^[{\[]|[^\s@]+@[^\s@]+\.[A-Za-z]{2,}"
"""What no name of a model, service or workflow looks like: an e-mail address, more than a line, something nested."""
WHOLE, WHOLE_AS_DECIMAL = r"[0-9]{1,18}", r"[0-9]{1,18}\.0{1,9}"
_PERSONAL = re.compile(PERSONAL, re.ASCII)


@dataclass(frozen=True)
class Words:
    """What the section of `jevons.toml` adds to the tables.

    Attributes:
        workflow: Attribute of a span or of its resource that names the workflow.
        operations: Operations that count beside the known ones.
        excluding: Scopes whose input tokens do not hold those of the cache.
    """

    workflow: str = "jevons.workflow"
    operations: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()

    @property
    def inference(self) -> tuple[str, ...]:
        """Operations that are model calls."""
        return (*INFERENCE, *self.operations)

    @property
    def of_span(self) -> frozenset[str]:
        """Attributes of a span that are read; all others are dropped unread."""
        return frozenset({self.workflow, *(name for names in (*TEXTS.values(), *TOKENS.values()) for name in names)})

    @property
    def of_resource(self) -> frozenset[str]:
        """Attributes of a resource that are read."""
        return frozenset({self.workflow, *(name for names in RESOURCE.values() for name in names)})


def impersonal(text: str | None) -> str | None:
    """The text, or None where it is no name that Jevons may keep."""
    return None if not text or len(text) > LONGEST_TEXT or _PERSONAL.search(text) else text


def kind(words: Words, name: str, texts: dict[str, str | None], tokens: Collection[str | None], failed: bool) -> str:
    """`call` for a model call, `unheard` for tokens under an operation that nothing is known of, `other` else."""
    told = any(value is not None for value in tokens)
    if texts["operation"] is not None:
        operation = texts["operation"].lower()
        if operation in words.inference:
            return "call"
        return "unheard" if told and operation not in OTHER else "other"
    if texts["openinference_kind"] is not None:
        return "call" if texts["openinference_kind"].lower() in OPENINFERENCE_CALLS else "other"
    if texts["openllmetry_type"] is not None:
        return "call" if texts["openllmetry_type"].lower() in OPENLLMETRY_CALLS else "other"
    if texts["openllmetry_kind"] is not None:
        return "other"
    if name == CLAUDE_CODE_SPAN:
        return "call"
    known = texts["provider"] is not None and texts["model"] is not None
    return "call" if known and (told or failed) else "other"
