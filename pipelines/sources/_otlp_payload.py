"""One payload of OTLP/JSON traces, looked at closely: what may be kept of it, and what is refused with which rule.

Nothing but the attributes that Jevons reads leaves here: no prompts, no people, no spans that are no model calls. Where
payloads come from and which day a refusal holds back does not belong here.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipelines.sources import _otlp_words
from pipelines.sources._otlp_words import (
    CLAUDE_CODE_SPAN,
    HIDDEN,
    SIGNALS,
    TEXTS,
    TOKENS,
    WHOLE,
    WHOLE_AS_DECIMAL,
    Words,
)

VALUES = ("stringValue", "intValue", "doubleValue")
_HEX = frozenset("0123456789abcdefABCDEF")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE = re.compile(f"{WHOLE}|{WHOLE_AS_DECIMAL}", re.ASCII)


@dataclass(frozen=True)
class Refusal:
    """What is wrong: where in the payload, the field, the rule, and the day that it would have counted on if known."""

    place: str
    field: str
    rule: str
    day: date | None = None


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


class _Odd(Exception):
    """A part of a payload that is not what its name says."""


def judge(payload: object, words: Words) -> Judged:
    """The spans of the payload that are model calls, without what is refused; never raises."""
    done = Judged()
    try:
        if not isinstance(payload, Mapping):
            raise _Odd("", "it is no JSON object")
        if payload and not any(payload.get(name) is not None for name in SIGNALS):
            raise _Odd("", f"it has none of {', '.join(SIGNALS)}")
        resources = _list(payload, "resourceSpans", "")
    except _Odd as odd:
        done.refused.append(Refusal(odd.args[0], "", odd.args[1]))
        return done
    for number, resource in enumerate(resources):
        _parts(done, f"resourceSpans {number + 1}", lambda at, r=resource: _resource(done, r, at, words))
    return done


def _parts(done: Judged, at: str, work: Any) -> None:
    """Does the work on one part; if the part is odd, that alone is refused."""
    try:
        work(at)
    except _Odd as odd:
        done.refused.append(Refusal(at, *odd.args))


def _resource(done: Judged, resource: object, at: str, words: Words) -> None:
    if resource is None:
        return
    about = _object(_object(resource, "resourceSpans").get("resource"), "resource")
    attributes = _attributes(about, words.of_resource)
    kept = {"resource": {"attributes": _again(attributes)}, "scopeSpans": []}
    for number, group in enumerate(_list(resource, "scopeSpans", "scopeSpans")):
        _parts(done, f"{at}, scopeSpans {number + 1}", lambda at, g=group: _scope(done, g, at, words, attributes, kept))
    if kept["scopeSpans"]:
        done.kept["resourceSpans"].append(kept)


def _scope(
    done: Judged, group: object, at: str, words: Words, resource: Mapping[str, str], kept: dict[str, Any]
) -> None:
    if group is None:
        return
    scope = _text(_object(_object(group, "scopeSpans").get("scope"), "scope").get("name"))
    spans: list[dict[str, Any]] = []
    for number, span in enumerate(_list(group, "spans", "spans")):
        def one(at: str, span: object = span) -> None:
            if (good := _span(done, span, at, words, resource, scope)) is not None:
                spans.append(good)
        _parts(done, f"{at}, span {number + 1}", one)
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
    span = _object(span, "span")
    attributes = _attributes(span, words.of_span)
    status = _text(_object(span.get("status"), "status").get("code"))
    texts = {name: _first(attributes, names) for name, names in TEXTS.items()}
    tokens = {name: _first(attributes, names) for name, names in TOKENS.items()}
    failed = status in ("2", "STATUS_CODE_ERROR") or texts["error_type"] is not None
    name = _text(span.get("name"))
    if _otlp_words.kind(words, name or "", texts, tokens.values(), failed) == "other":
        return None
    start, end = _text(span.get("startTimeUnixNano")), _text(span.get("endTimeUnixNano"))
    day = None if (ended := _ns(end)) is None else (_EPOCH + timedelta(microseconds=ended // 1000)).date()
    includes = name != CLAUDE_CODE_SPAN and scope not in words.excluding
    broken = list(_broken(span, ended, tokens, includes))
    done.refused += [Refusal(at, name, rule, day) for name, rule in broken]
    if broken:
        return None
    return {
        "traceId": span["traceId"], "spanId": span["spanId"], "endTimeUnixNano": end,
        **({"startTimeUnixNano": start} if _ns(start) is not None else {}),
        **({"name": name} if name == CLAUDE_CODE_SPAN else {}),
        "attributes": _again(attributes), "status": {"code": "2"} if failed else {},
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


def _object(value: object, name: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _Odd(name, "it is no JSON object")
    return value


def _list(owner: object, name: str, said: str) -> Sequence[Any]:
    value = owner.get(name) if isinstance(owner, Mapping) else None
    if value is None:
        return []
    if not isinstance(value, list):
        raise _Odd(said, f"{name} is no list")
    return value


def _attributes(owner: Mapping[str, Any], wanted: frozenset[str]) -> dict[str, str]:
    """The first value of each attribute that is read, as text; an empty one is none."""
    found: dict[str, str | None] = {}
    for attribute in _list(owner, "attributes", "attributes"):
        attribute = _object(attribute, "attributes")
        name, value = _text(attribute.get("key")), _object(attribute.get("value"), "attributes")
        if name in wanted and name not in found:
            found[name] = next((text for kind in VALUES if (text := _text(value.get(kind))) is not None), None)
    return {name: text for name, text in found.items() if text}


def _again(attributes: Mapping[str, str]) -> list[dict[str, Any]]:
    """The attributes in OTLP's form; of a text that may be personal only that there was one."""
    return [{"key": name, "value": {"stringValue": _otlp_words.impersonal(text) or HIDDEN}}
            for name, text in attributes.items()]


def _first(attributes: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((attributes[name] for name in names if name in attributes), None)


def _text(value: object) -> str | None:
    """A JSON value as the strict query sees it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "{" if isinstance(value, (Mapping, list)) else str(value)


def _ns(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 19 or text != str(int(text)):
        return None
    return int(text) if 0 < int(text) < 2**63 else None

