"""The metrics that tell of model calls, and what each of them counts: GenAI conventions and Claude Code's own.

How a payload is opened, and what counters say between two points, does not belong here.

Metrics of the conventions: `gen_ai.client.token.usage` and `gen_ai.client.operation.duration` (1.27 to 1.41), and those
that the repository semantic-conventions-genai (2026) has in their place; Claude Code's from its documentation
(https://code.claude.com/docs/en/monitoring-usage). UNVERIFIED: that either stays as it is, and that Claude Code's kinds
of tokens are disjoint, as its users tell; `metric_names` and `token_types` of the section add other names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from pipelines.sources._otlp_words import OPERATION, OTHER, TEXTS, Words

STREAM = "jevons.stream"
"""In what the receiver wrote: a keyed hash of all that tells a series from others, in place of people and sessions."""

TOKENS = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens", "reasoning_output_tokens")
CALLS, ERRORS, COST = "call_count", "error_count", "estimated_cost_usd"
QUANTITIES = (CALLS, ERRORS, *TOKENS, COST)


@dataclass(frozen=True)
class Instrument:
    """What a metric counts.

    Attributes:
        quantities: What its total is, by the value of `by`; under '' where it has no such attribute.
        by: The attribute that tells kinds of tokens apart.
        rank: Of the metrics of one scope that tell a quantity in an hour, that with the lowest rank counts.
        calls_rank: The same for its number of recordings, where each is a call; None where it is not.
        told_by: The type whose recordings are the calls.
        provider: Who runs the models, where no point says it.
    """

    quantities: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    rank: int = 0
    calls_rank: int | None = None
    told_by: str = ""
    provider: str | None = None


_CLAUDE_TYPES = {"input": "input_tokens", "output": "output_tokens", "cacheRead": "cached_input_tokens",
                 "cacheCreation": "cache_write_input_tokens"}
CLAUDE_CODE = "claude_code."
INSTRUMENTS: Mapping[str, Instrument] = MappingProxyType({
    "gen_ai.client.inference.usage.input_tokens": Instrument({"": "input_tokens"}),
    "gen_ai.client.inference.usage.output_tokens": Instrument({"": "output_tokens"}),
    "gen_ai.client.inference.usage.cache_read.input_tokens": Instrument({"": "cached_input_tokens"}),
    "gen_ai.client.inference.usage.cache_write.input_tokens": Instrument({"": "cache_write_input_tokens"}),
    "gen_ai.client.inference.usage.reasoning.output_tokens": Instrument({"": "reasoning_output_tokens"}),
    "gen_ai.client.inference.operation.input_tokens": Instrument({"": "input_tokens"}, rank=1, calls_rank=2),
    "gen_ai.client.inference.operation.output_tokens": Instrument({"": "output_tokens"}, rank=1),
    "gen_ai.client.token.usage": Instrument(
        {"input": "input_tokens", "output": "output_tokens"}, "gen_ai.token.type", 2, 3, "input"),
    "gen_ai.client.inference.duration": Instrument(calls_rank=0),
    "gen_ai.client.operation.duration": Instrument(calls_rank=1),
    "claude_code.token.usage": Instrument(_CLAUDE_TYPES, "type", provider="anthropic"),
    "claude_code.cost.usage": Instrument({"": COST}, provider="anthropic"),
})


@dataclass(frozen=True)
class MetricWords:
    """What the sections of `jevons.toml` add to the tables.

    Attributes:
        spans: What holds for spans as well: the workflow's attribute, operations, scopes.
        names: Further names of metrics, each with the known one that it stands for.
        types: Further kinds of tokens, each with the known one that it stands for.
    """

    spans: Words = Words()
    names: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)

    def known(self, metric: str | None) -> str | None:
        """The known name of a metric; None where it counts nothing here."""
        name = self.names.get(metric or "", metric)
        return name if name in INSTRUMENTS else None

    def quantity(self, metric: str, attributes: Mapping[str, str]) -> str | None:
        """What the total of a known metric is; None for one without, or of a kind of tokens that is not known."""
        found = INSTRUMENTS[metric]
        told = attributes.get(found.by, "") if found.by else ""
        return found.quantities.get(self.types.get(told, told))

    def is_call(self, attributes: Mapping[str, str]) -> bool | None:
        """Whether it is of model calls; None where its operation is not known."""
        operation = attributes.get(OPERATION)
        if operation is None or operation.lower() in self.spans.inference:
            return True
        return False if operation.lower() in OTHER else None

    @cached_property
    def of_point(self) -> frozenset[str]:
        """Attributes of a point that are read; of all others the receiver keeps a keyed hash."""
        return frozenset({
            self.spans.workflow, OPERATION, "gen_ai.token.type", "type", *TEXTS["provider"], *TEXTS["model"],
            *TEXTS["error_type"],
        })
