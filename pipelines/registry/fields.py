"""The kinds of value that a registry entry may hold, each with the sentence that refuses a wrong one.

Whole entries belong in `drafts`, columns of the database in `models`.
"""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Annotated, Any

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

from pipelines import countries

RESERVED_IDS = frozenset({"orphan", "unattributed"})

_IDENTIFIER = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_PLAIN_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_EMAIL = re.compile(r"\S+@\S+")
_SECRET = re.compile(r"\s*(sk[-_]|bearer\s)", re.IGNORECASE)

_YES_NO = {"true": True, "yes": True, "false": False, "no": False}


def refusal(rule: str, fix: str, field: str = "") -> PydanticCustomError:
    """A validation error that carries the broken rule and the way out.

    Args:
        rule: What is wrong, as the middle of a sentence.
        fix: What to do, as an imperative.
        field: Named only by checks that look at several fields at once.
    """
    return PydanticCustomError("jevons", "{rule}; {fix}", {"rule": rule, "fix": fix, "field": field})


def looks_secret(value: str) -> bool:
    """Whether a cell looks like a key itself instead of the key's id; such a cell is repeated nowhere."""
    return bool(_SECRET.match(value))


def shown(value: Any) -> str:
    """The value as a message may show it: quoted, short, and masked if it looks like a secret."""
    text = str(value)
    if looks_secret(text):
        return "a value that looks like a secret"
    return repr(text if len(text) <= 60 else text[:57] + "...")


def identifier(value: Any) -> str:
    """An id as it may stand in a cell."""
    if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value):
        raise refusal(
            f"{shown(value)} is not an id",
            "use 1 to 64 letters, digits, dots, colons, hyphens or underscores",
        )
    if looks_secret(value):
        raise _secret()
    if value.casefold() in RESERVED_IDS:
        raise refusal(f"the id {shown(value)} is reserved for what nobody owns", "choose another id")
    return value


def _secret() -> PydanticCustomError:
    return refusal("the value looks like a secret key", "give the key's id (key_...), never the key itself")


def _text(value: Any, limit: int) -> str:
    if not isinstance(value, str) or not value.strip():
        raise refusal("it has no text", "write something that a reader understands")
    if len(value) > limit:
        raise refusal(f"it has {len(value)} characters", f"shorten it to at most {limit}")
    if _CONTROL.search(value):
        raise refusal("it holds a line break or another control character", "write it on one line")
    if looks_secret(value):
        raise _secret()
    return value.strip()


def _role(value: Any) -> str:
    text = _text(value, 200)
    if _EMAIL.search(text):
        raise refusal("it holds an e-mail address, which would be published", "name a role or a body instead")
    return text


def country(value: Any) -> str:
    """Two or three letters; the three are kept."""
    code = countries.alpha3(value)
    if code is None:
        raise refusal(f"{shown(value)} is not a country", countries.FIX)
    return code


def _one_of(value: Any, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise refusal(f"{shown(value)} is not a choice", f"use {', '.join(allowed[:-1])} or {allowed[-1]}")
    return value


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise refusal(f"{shown(value)} is not a day", "write it as YYYY-MM-DD")


def _instant(value: Any) -> datetime:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime):
        raise refusal("it is not an instant", "write it as 2026-05-20T09:00:00Z")
    if value.tzinfo is None:
        raise refusal("the instant names no time zone", "end it with Z for UTC or an offset such as +02:00")
    return value.astimezone(UTC)


def decimal(value: Any, precision: int, scale: int) -> Decimal:
    """A plain decimal of at least 0 that DECIMAL(precision, scale) holds exactly."""
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if isinstance(value, Decimal) and value.is_finite():
        text = f"{value:f}"
    if text is None or not _PLAIN_DECIMAL.fullmatch(text):
        raise refusal(
            f"{shown(value)} is not a plain decimal number of at least 0",
            "write digits with a dot, without sign, thousands separator or exponent",
        )
    whole, _, fraction = text.partition(".")
    if len(whole.lstrip("0")) > precision - scale:
        raise refusal(f"{shown(value)} is too large", f"stay below 1 followed by {precision - scale} zeros")
    if len(fraction.rstrip("0")) > scale:
        allowed = f"at most {scale} decimals" if scale else "a whole number"
        raise refusal(f"{shown(value)} has too many decimals", f"write {allowed}; nothing is rounded here")
    return Decimal(text).quantize(Decimal(1).scaleb(-scale))


def _share(value: Any) -> Decimal:
    share = decimal(value, 9, 8)
    if not 0 < share <= 1:
        raise refusal(f"the share {shown(value)} is not above 0 and at most 1", "write 0.25 for a quarter")
    return share


def _count(value: Any) -> int:
    count = decimal(value, 18, 0)
    return int(count)


def _yes_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _YES_NO:
        return _YES_NO[value.lower()]
    raise refusal(f"{shown(value)} is neither true nor false", "write true or false")


def one_of(*allowed: str) -> Any:
    """A text that is one of the given words, spelled exactly."""
    return Annotated[str, BeforeValidator(partial(_one_of, allowed=allowed))]


def choices_of(rule: Any) -> tuple[str, ...]:
    """The words that a field made by `one_of` takes; none for any other."""
    check = getattr(rule, "func", None)
    return check.keywords["allowed"] if isinstance(check, partial) and check.func is _one_of else ()


def text(limit: int) -> Any:
    """One line of text of at most `limit` characters."""
    return Annotated[str, BeforeValidator(partial(_text, limit=limit))]


Identifier = Annotated[str, BeforeValidator(identifier)]
Role = Annotated[str, BeforeValidator(_role)]  # who answers for a thing: a role or a body
Country = Annotated[str, BeforeValidator(country)]
Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[datetime, BeforeValidator(_instant)]
Share = Annotated[Decimal, BeforeValidator(_share)]  # DECIMAL(9,8), above 0, at most 1
Limit = Annotated[Decimal, BeforeValidator(partial(decimal, precision=24, scale=9))]  # in the metric's unit
Count = Annotated[int, BeforeValidator(_count)]
YesNo = Annotated[bool, BeforeValidator(_yes_no)]
