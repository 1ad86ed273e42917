"""The arithmetic of a factor: ends of a range, intervals, rounding, and the coefficients' file.

Which factors there are does not belong here.
"""

import tomllib
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any

JOULES_PER_KWH = Decimal(3_600_000)
SECONDS_PER_YEAR = Decimal(365 * 86_400)
GRAMS_PER_KG = Decimal(1000)


@dataclass(frozen=True)
class Span:
    """Low, central and high of one quantity."""

    low: Decimal
    central: Decimal
    high: Decimal

    def columns(self, name: str) -> dict[str, str]:
        """The three columns of a quantity, rounded to 18 decimals."""
        return {f"{name}_low": fixed(self.low), name: fixed(self.central), f"{name}_high": fixed(self.high)}


@dataclass(frozen=True)
class Ends:
    """The library's own minimum and maximum; equal where it gives no range."""

    low: Decimal
    high: Decimal

    @classmethod
    def of(cls, value: Any) -> "Ends":
        """Reads a number or a RangeValue, as the decimals that the library's files and floats print."""
        ends = (value, value) if isinstance(value, (int, float, Decimal)) else (value.min, value.max)
        return cls(*(Decimal(str(end)) for end in ends))

    @property
    def central(self) -> Decimal:
        """Geometric mean."""
        return self.low if self.low == self.high else (self.low * self.high).sqrt()

    def widened(self, ratio: Decimal) -> Span:
        """The central value divided and multiplied by `ratio`, or the ends themselves if they are wider."""
        central = self.central
        return Span(min(central / ratio, self.low), central, max(central * ratio, self.high))


def fixed(value: Decimal, places: int = 18) -> str:
    """A plain decimal string with at most `places` decimals and no trailing zeros."""
    text = f"{value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@cache
def inputs() -> dict[str, Any]:
    """The coefficients, with unit and source each."""
    return tomllib.loads(Path(__file__).with_name("inputs.toml").read_text(encoding="utf-8"))


def provenance(row: dict[str, Any], **source: str) -> dict[str, str]:
    names = ("source_title", "source_url", "licence", "released_date", "valid_from")
    return {name: source.get(name) or row[name] for name in names}


def source_of(row: dict[str, Any]) -> dict[str, str]:
    return {"source_title": row["source_title"], "source_url": row["source_url"]}


def span_of(given: dict[str, Any], name: str) -> Span:
    """A coefficient that is given with its low and high end."""
    return Span(*(Decimal(given["coefficients"][name][end]) for end in ("low", "value", "high")))


def value_of(given: dict[str, Any], name: str) -> Decimal:
    return Decimal(given["coefficients"][name]["value"])


def interval(given: dict[str, Any], gsd: Decimal) -> Decimal:
    """Half of the 95% interval of a log-normal as a ratio."""
    return gsd ** value_of(given, "interval_width")
