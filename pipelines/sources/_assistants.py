"""What sources of coding assistants share: requests, counts that are read and never guessed, a seat's price by day.

What a vendor's fields mean belongs to its source.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import requests

from pipelines.errors import SettingError, SourceError
from pipelines.http import Client, _as_it_is, read_json, stays_secret
from pipelines.source import Context

LARGEST_COUNT = 10**15
REPORT = "run the same days again; if it stays, report it to the vendor"


class Wrong(Exception):
    """A field that cannot be read: its name, and the rule that it breaks."""

    def __init__(self, field: str, rule: str):
        super().__init__(field, rule)
        self.field, self.rule = field, rule


def count(record: Mapping[str, Any], name: str, needed: bool = False) -> int | None:
    """A whole number that is not negative; None where it is not told.

    Raises:
        Wrong: it is something else, or is needed and not there.
    """
    value = record.get(name)
    if value is None:
        if needed:
            raise Wrong(name, "it is not there")
        return None
    if isinstance(value, Decimal) and value.is_finite() and abs(value) <= LARGEST_COUNT and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        raise Wrong(name, f"it is no count but a {type(value).__name__}" if not isinstance(value, int | Decimal)
                    else "it is no count")
    return value


def amount(record: Mapping[str, Any], name: str) -> Decimal:
    """A number, exact as it was sent; Wrong where it is none."""
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Wrong(name, "it is not there" if value is None else "it is no number")
    number = Decimal(value)
    if not number.is_finite() or abs(number) > LARGEST_COUNT:
        raise Wrong(name, "it is too large a number")
    return number.quantize(Decimal(1).scaleb(-12)) if number.adjusted() > -40 else Decimal(0)


def named(value: Any, field: str) -> str | None:
    """A name of a model, a feature or a product; Wrong where it is no short line, or may name a person."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip() or len(value) > 120 or not value.isprintable() or "@" in value:
        raise Wrong(field, "it is no name of one line")
    return value.strip()


def records(value: Any, field: str) -> list[Mapping[str, Any]]:
    """A list of objects; an empty one where it is not told."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise Wrong(field, "it is no list of objects")
    return value


def seat_cost(monthly: Decimal | None, day: date) -> Decimal | None:
    """The part of a month's price that falls on a day, in billionths; the days of a month add up to the price."""
    if monthly is None:
        return None
    days = monthrange(day.year, day.month)[1]
    until, before = (round(monthly * number / days, 9) for number in (day.day, day.day - 1))
    return until - before


def seat_price(context: Context, source: str, plan: str | None) -> Decimal | None:
    """What a seat of the plan costs in a month, in US dollars, as `seat_usd_per_month` declares it; None where not."""
    declared = context.options(source).get("seat_usd_per_month")
    price = declared.get(plan or "") if isinstance(declared, Mapping) else declared
    if price is None:
        return None
    if isinstance(price, bool) or not isinstance(price, int | float | str):
        price = "NaN"
    try:
        known = Decimal(str(price))
    except ArithmeticError:
        known = Decimal("NaN")
    if not known.is_finite() or not 0 <= known <= 100_000:
        raise SettingError(
            source, "seat_usd_per_month", f"{str(price)[:24]!r} is no price",
            'write seat_usd_per_month = "19", or a section with one for each plan',
        )
    return known


@dataclass
class PostingClient(Client):
    """A client whose questions are JSON objects; what is asked stands in the receipt as parameters do."""

    def _send(self, method: str, path: str, params: Sequence[tuple[str, Any]]) -> requests.Response:
        if method != "POST":
            return super()._send(method, path, params)
        return self.session.request(
            method, f"{self.base_url.rstrip('/')}/{path.lstrip('/')}", json=dict(params), timeout=self.timeout,
            headers={**self.plain_headers, **self.headers}, allow_redirects=False, auth=_as_it_is,
        )


def json_lines(body: bytes) -> list[Any]:
    """The values of JSON lines; ValueError where one is broken."""
    return [read_json(line) for line in body.split(b"\n") if line.strip()]


@dataclass
class SignedFile(Client):
    """Reads one signed link of JSON lines. No header of ours goes with it, and no message quotes it."""

    reader: Callable[[bytes], Any] = field(default=json_lines, repr=False)
    form: str = "JSON lines"

    def lines(self, label: str) -> list[Any]:
        """The records of the file; `label` is how messages and receipts call it."""
        if not stays_secret(self.base_url) or urlsplit(self.base_url).scheme not in ("https", "http"):
            raise SourceError(f"{self.name}'s report was not downloaded", label,
                              "its signed link would travel unencrypted", REPORT)
        return self.get(label)

    def redacted(self, text: str) -> str:
        """The text without the link and without what signs it."""
        link = urlsplit(self.base_url)
        for secret in (self.base_url, link.query, *link.query.split("&"), link.path):
            if len(secret) > 3:
                text = text.replace(secret, "***")
        return super().redacted(text)

    def _send(self, method: str, path: str, params: Sequence[tuple[str, str]]) -> requests.Response:
        return self.session.request(method, self.base_url, timeout=self.timeout, allow_redirects=False, auth=_as_it_is)
