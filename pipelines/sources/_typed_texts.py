"""Turns the text of a field into the value of its column, or says which rule it breaks; nothing is rounded.

Where a text stands, and what happens to a row that is refused, does not belong here.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from math import isfinite
from typing import Any

from pipelines.source import Column

LONGEST_TEXT = 500

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")
_EMAIL = re.compile(r"\S@\S")
_DECIMAL = re.compile(r"DECIMAL\((\d+),(\d+)\)")


class Wrong(Exception):
    """A value that its column does not take, with the rule that it breaks."""


def typed(column: Column, value: Any, zone: tzinfo | None = None) -> Any:
    """The value of a column, or None where an optional one is empty.

    Raises:
        Wrong: the value is not one that the column takes.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        if column.required:
            raise Wrong("it is empty")
        return None
    value = _plain(column, value, zone)
    if column.minimum is not None and value < column.minimum:
        raise Wrong(f"{value} is less than {column.minimum}")
    if column.allowed and value not in column.allowed:
        raise Wrong(f"{_shown(value)} is none of {', '.join(column.allowed)}")
    return value


def _plain(column: Column, value: Any, zone: tzinfo | None) -> Any:
    if column.type == "VARCHAR":
        return _text(value)
    if column.type == "BOOLEAN":
        known = {"true": True, "yes": True, "false": False, "no": False}.get(str(value).strip().lower())
        if known is None:
            raise Wrong(f"{_shown(value)} is neither true nor false")
        return known
    if column.type == "DATE":
        return _day(value)
    if column.type == "TIMESTAMP":
        return instant(value, zone)
    return _number(column.type, value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Wrong(f"{_shown(value)} is not text")
    text = value.strip()
    if _EMAIL.search(text):
        raise Wrong("it holds an e-mail address, and no people are kept")
    if len(text) > LONGEST_TEXT or not text.isprintable():
        raise Wrong(f"{_shown(text)} is not one line of at most {LONGEST_TEXT} characters")
    return text


def _number(kind: str, value: Any) -> int | Decimal:
    decimal = _DECIMAL.fullmatch(kind)
    digits, scale = (int(decimal[1]), int(decimal[2])) if decimal else (18, 0)
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) and isfinite(value) else str(value).strip()
    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) < 40:
        text = format(value, "f")
    if isinstance(value, bool) or not _NUMBER.fullmatch(text):
        raise Wrong(f"{_shown(value)} is not a {'decimal' if decimal else 'whole'} number")
    if len(text.partition(".")[2].rstrip("0")) > scale:
        raise Wrong(f"{_shown(value)} has more than {scale} decimals" if decimal else f"{text} is not a whole number")
    number = Decimal(text)
    if abs(number) >= 10 ** (digits - scale):
        raise Wrong(f"{_shown(value)} is a larger number than its column holds")
    return number if decimal else int(number)


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and _DAY.fullmatch(value.strip()):
            return date.fromisoformat(value.strip())
    except ValueError:
        pass
    raise Wrong(f"{_shown(value)} is not a day (YYYY-MM-DD)")


def instant(value: Any, zone: tzinfo | None) -> datetime:
    """The instant of an ISO 8601 text, in UTC.

    Raises:
        Wrong: it has no time zone and none was declared, or it happens twice or never in that zone.
    """
    if isinstance(value, str) and _INSTANT.fullmatch(value.strip()):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError as error:
            raise Wrong(f"{_shown(value)} is no instant that exists") from error
    if not isinstance(value, datetime):
        raise Wrong(f"{_shown(value)} is not an ISO 8601 instant")
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    found = local_instants(value, zone)
    if len(found) != 1:
        raise Wrong(f"{value} happens {'twice' if found else 'never'} in the time zone {zone}")
    return found[0]


def local_instants(naive: datetime, zone: tzinfo | None) -> list[datetime]:
    """The instants, in UTC, at which clocks of the zone show this time: one, two in autumn, none in spring.

    Raises:
        Wrong: no zone was declared.
    """
    if zone is None:
        raise Wrong("it has no time zone and none is declared")
    both = {naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(each for each in both if each.astimezone(zone).replace(tzinfo=None) == naive)


def days_of(started: datetime, ended: datetime) -> tuple[date, date]:
    """The first and the last UTC day that a half-open stretch of time touches; an empty one touches its own day."""
    return started.date(), max(started, ended - timedelta(microseconds=1)).date()


def _shown(value: Any) -> str:
    return "a value with an e-mail address" if _EMAIL.search(str(value)) else repr(str(value))[:42]
