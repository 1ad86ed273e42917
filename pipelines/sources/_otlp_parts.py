"""The parts that payloads of OTLP/JSON are made of: objects, lists, attributes and instants, or what is wrong with one.

Which signal they belong to, and what it means, is said elsewhere.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pipelines.sources import _otlp_words
from pipelines.sources._otlp_words import HIDDEN, SIGNALS

VALUES = ("stringValue", "intValue", "doubleValue")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Refusal:
    """What is wrong: where in the payload, the field, the rule, and the day that it would have counted on if known."""

    place: str
    field: str
    rule: str
    day: date | None = None


class Odd(Exception):
    """A part of a payload that is not what its name says."""


def attempt(refused: list[Refusal], at: str, work: Callable[[str], None]) -> None:
    """Does the work on one part of a payload; if the part is odd, that alone is refused."""
    try:
        work(at)
    except Odd as odd:
        refused.append(Refusal(at, *odd.args))


def resources_of(payload: object, signal: str) -> Sequence[Any]:
    """What a payload holds of one of the three signals.

    Raises:
        Odd: it is no payload of OTLP.
    """
    if not isinstance(payload, Mapping):
        raise Odd("", "it is no JSON object")
    if payload and not any(payload.get(name) is not None for name in SIGNALS):
        raise Odd("", f"it has none of {', '.join(SIGNALS)}")
    return as_list(payload, signal, "")


def as_object(value: object, name: str) -> Mapping[str, Any]:
    """The object; an absent one is empty."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise Odd(name, "it is no JSON object")
    return value


def as_list(owner: object, name: str, said: str) -> Sequence[Any]:
    """The list of that name; an absent one is empty."""
    value = owner.get(name) if isinstance(owner, Mapping) else None
    if value is None:
        return []
    if not isinstance(value, list):
        raise Odd(said, f"{name} is no list")
    return value


def attributes_of(owner: Mapping[str, Any], wanted: frozenset[str]) -> dict[str, str]:
    """The first value of each attribute that is read, as text; an empty one is none."""
    found: dict[str, str | None] = {}
    for attribute in as_list(owner, "attributes", "attributes"):
        attribute = as_object(attribute, "attributes")
        name, value = as_text(attribute.get("key")), as_object(attribute.get("value"), "attributes")
        if name in wanted and name not in found:
            found[name] = next((text for kind in VALUES if (text := as_text(value.get(kind))) is not None), None)
    return {name: text for name, text in found.items() if text}


def again(attributes: Mapping[str, str]) -> list[dict[str, Any]]:
    """The attributes in OTLP's form; of a text that may be personal only that there was one."""
    return [{"key": name, "value": {"stringValue": _otlp_words.impersonal(text) or HIDDEN}}
            for name, text in attributes.items()]


def first(attributes: Mapping[str, str], names: Sequence[str]) -> str | None:
    """The value of the first of the names that is there."""
    return next((attributes[name] for name in names if name in attributes), None)


def as_text(value: object) -> str | None:
    """A JSON value as the strict query sees it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "{" if isinstance(value, (Mapping, list)) else str(value)


def nanoseconds(text: str | None) -> int | None:
    """Nanoseconds since 1970, or None where the text tells none."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 19 or text != str(int(text)):
        return None
    return int(text) if 0 < int(text) < 2**63 else None


def day_of(ns: int | None) -> date | None:
    """The UTC day of an instant in nanoseconds since 1970."""
    return None if ns is None else (_EPOCH + timedelta(microseconds=ns // 1000)).date()
