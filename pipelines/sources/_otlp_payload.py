"""One payload of OTLP/JSON traces, looked at closely: what may be kept of it, and what is refused with which rule.

Nothing but the attributes that Jevons reads leaves here: no prompts, no people, no spans that are no model calls. Where
payloads come from and which day a refusal holds back does not belong here.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.sources import _otlp_words
from pipelines.sources._otlp_parts import (
    Odd,
    Refusal,
    again,
    as_list,
    as_object,
    as_text,
    attempt,
    attributes_of,
    day_of,
    first,
    nanoseconds,
    resources_of,
)
from pipelines.sources._otlp_words import (
    CLAUDE_CODE_SPAN,
    HIDDEN,
    TEXTS,
    TOKENS,
    WHOLE,
    WHOLE_AS_DECIMAL,
    Words,
)

_HEX = frozenset("0123456789abcdefABCDEF")
_WHOLE = re.compile(f"{WHOLE}|{WHOLE_AS_DECIMAL}", re.ASCII)


@dataclass
class Judged:
    """A payload of which only what may be kept is left.

    Attributes:
        kept: The payload without all that Jevons does not read; ready for the strict query.
        calls: How many spans are in it.
    """

    kept: dict[str, Any] = field(default_factory=lambda: {"resourceSpans": []})
    calls: int = 0
    refused: list[Refusal] = field(default_factory=list)


def judge(payload: object, words: Words) -> Judged:
    """The spans of the payload that are model calls, without what is refused; never raises."""
    done = Judged()
    try:
        resources = resources_of(payload, "resourceSpans")
    except Odd as odd:
        done.refused.append(Refusal(odd.args[0], "", odd.args[1]))
        return done
    for number, resource in enumerate(resources):
        attempt(done.refused, f"resourceSpans {number + 1}", lambda at, r=resource: _resource(done, r, at, words))
    return done


def _resource(done: Judged, resource: object, at: str, words: Words) -> None:
    if resource is None:
        return
    about = as_object(as_object(resource, "resourceSpans").get("resource"), "resource")
    attributes = attributes_of(about, words.of_resource)
    kept = {"resource": {"attributes": again(attributes)}, "scopeSpans": []}
    for number, group in enumerate(as_list(resource, "scopeSpans", "scopeSpans")):
        attempt(done.refused, f"{at}, scopeSpans {number + 1}",
                lambda at, g=group: _scope(done, g, at, words, attributes, kept))
    if kept["scopeSpans"]:
        done.kept["resourceSpans"].append(kept)


def _scope(
    done: Judged, group: object, at: str, words: Words, resource: Mapping[str, str], kept: dict[str, Any]
) -> None:
    if group is None:
        return
    scope = as_text(as_object(as_object(group, "scopeSpans").get("scope"), "scope").get("name"))
    spans: list[dict[str, Any]] = []
    for number, span in enumerate(as_list(group, "spans", "spans")):
        def one(at: str, span: object = span) -> None:
            if (good := _span(done, span, at, words, resource, scope)) is not None:
                spans.append(good)
        attempt(done.refused, f"{at}, span {number + 1}", one)
    if spans:
        name = _otlp_words.impersonal(scope) or HIDDEN
        kept["scopeSpans"].append({"scope": {"name": name}, "spans": spans})
        done.calls += len(spans)


def _span(
    done: Judged, span: object, at: str, words: Words, resource: Mapping[str, str], scope: str | None
) -> dict[str, Any] | None:
    """What may be kept of a span; None where it is no model call or is refused."""
    if span is None:
        return None
    span = as_object(span, "span")
    attributes = attributes_of(span, words.of_span)
    status = as_text(as_object(span.get("status"), "status").get("code"))
    texts = {name: first(attributes, names) for name, names in TEXTS.items()}
    tokens = {name: first(attributes, names) for name, names in TOKENS.items()}
    failed = status in ("2", "STATUS_CODE_ERROR") or texts["error_type"] is not None
    name = as_text(span.get("name"))
    if _otlp_words.kind(words, name or "", texts, tokens.values(), failed) == "other":
        return None
    start, end = as_text(span.get("startTimeUnixNano")), as_text(span.get("endTimeUnixNano"))
    day = day_of(ended := nanoseconds(end))
    includes = name != CLAUDE_CODE_SPAN and scope not in words.excluding
    broken = list(_broken(span, ended, tokens, includes))
    done.refused += [Refusal(at, name, rule, day) for name, rule in broken]
    if broken:
        return None
    return {
        "traceId": span["traceId"], "spanId": span["spanId"], "endTimeUnixNano": end,
        **({"startTimeUnixNano": start} if nanoseconds(start) is not None else {}),
        **({"name": name} if name == CLAUDE_CODE_SPAN else {}),
        "attributes": again(attributes), "status": {"code": "2"} if failed else {},
    }


def _broken(
    span: Mapping[str, Any], ended: int | None, tokens: Mapping[str, str | None], includes: bool
) -> Iterator[tuple[str, str]]:
    """Each field that may not pass, with the rule that it breaks."""
    for name, digits in (("traceId", 32), ("spanId", 16)):
        text = span.get(name)
        if not isinstance(text, str) or len(text) != digits or not _HEX.issuperset(text) or not text.strip("0"):
            yield name, f"it is not {digits} hexadecimal digits, as OTLP/JSON writes it"
    if ended is None:
        yield "endTimeUnixNano", "it is no time in nanoseconds since 1970"
    counts = {}
    for name, text in tokens.items():
        if text is None:
            continue
        if not _WHOLE.fullmatch(text):
            yield name, "it is not a whole number of tokens"
            continue
        counts[name] = int(text.partition(".")[0])
    cached = counts.get("cached_input_tokens", 0) + counts.get("cache_write_input_tokens", 0)
    if includes and cached > counts.get("input_tokens", cached):
        yield "cached_input_tokens", "with those written to the cache it is more than the input tokens that include " \
            "both; if they do not, name the scope in input_excludes_cached"
    if counts.get("reasoning_output_tokens", 0) > counts.get("output_tokens", 10**18):
        yield "reasoning_output_tokens", "it is more than the output tokens that include it"
