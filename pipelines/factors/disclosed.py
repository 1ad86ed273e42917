"""What a supplier's figure is as a factor: kWh of the facility per unit, with the range that it deserves.

Reading the organisation's file belongs to the source `disclosures`, and which factor is used to dbt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pipelines.factors.prices import SELLERS, implausible
from pipelines.factors.values import Span, interval, span_of, value_of

TOKENS = ("output_token", "input_token", "cached_input_token", "cache_write_token")
MEDIA = ("image", "audio_second", "video_second")
UNITS = ("request", *TOKENS, *MEDIA)
ASSURANCES = ("none", "limited", "reasonable")
FROM_INPUT = {"cached_input_token": "cached_input", "cache_write_token": "cache_write"}
ONE = Span(Decimal(1), Decimal(1), Decimal(1))


@dataclass(frozen=True)
class Boundary:
    """What the supplier's figure holds: True, False, or None where the disclosure does not say.

    Attributes:
        mean: Whether it is a mean over requests; a median is less than what a request takes on average.
    """

    host: bool | None
    idle: bool | None
    pue: bool | None
    mean: bool | None
    embodied: bool | None
    upstream: bool | None

    def terms(self) -> dict[str, bool | None]:
        """The coefficients that bring the figure to the facility and the mean, and whether each is inside already."""
        return {"disclosed_without_host": self.host, "disclosed_without_idle": self.idle,
                "disclosed_without_pue": self.pue, "disclosed_median": self.mean}

    def flags(self) -> str:
        """What was inside, was added, or is not said; electricity of use holds neither hardware nor its own supply."""
        added = {"pue": "pue_added", "host": "host_added", "idle": "idle_added", "mean": "median_raised",
                 "embodied": "no_embodied", "upstream": "no_upstream"}
        said = [{True: name, False: without, None: f"{name}_not_said"}[getattr(self, name)]
                for name, without in added.items()]
        return ";".join([*said, "no_network", "no_training"])


def of_facility(given: dict[str, Any], stated: Span, gsd: Decimal | None, assurance: str, boundary: Boundary) -> Span:
    """The figure at the boundary of all factors: energy of the facility, as a mean over requests.

    The range is the stated one, or the least that its assurance allows where that is wider. The ends of what is added
    are multiplied, so that saying less never makes the range narrower.

    Args:
        given: The coefficients.
        stated: The figure in kWh per unit, its ends equal to it where no range is stated.
        gsd: Its geometric standard deviation, where that is stated instead of ends.
        assurance: One of ASSURANCES.
    """
    least = interval(given, Decimal(given["coefficients"][f"disclosure_{assurance}"]["gsd"]))
    wide = max(least, interval(given, gsd)) if gsd else least
    span = Span(min(stated.low, stated.central / wide), stated.central, max(stated.high, stated.central * wide))
    for name, is_inside in boundary.terms().items():
        span = _times(span, _term(span_of(given, name), is_inside))
    return span


def unstated(given: dict[str, Any], stated: Mapping[str, Span]) -> dict[str, tuple[Span, str]]:
    """The units of which the disclosure says nothing, where they follow from those that it names, and why.

    Cached and written input tokens follow from fresh ones. A request, a picture or a second holds the tokens of it. An
    image or a second that is not named stays unknown.
    """
    found: dict[str, tuple[Span, str]] = {}
    for unit in ("request", *TOKENS):
        if unit in stated:
            continue
        if unit in FROM_INPUT and stated.get("input_token", _NOTHING).central > 0:
            found[unit] = _times(stated["input_token"], span_of(given, FROM_INPUT[unit])), "from input_token"
        else:
            found[unit] = _NOTHING, "within"
    return found


def missing(units: Mapping[str, Any]) -> str | None:
    """A unit without which the figures are not the whole of a use; None where they are."""
    if units.keys() & {"request", *MEDIA}:
        return None
    return next((unit for unit in ("output_token", "input_token") if unit not in units), None)


def spread(given: dict[str, Any], span: Span) -> Decimal:
    """The geometric standard deviation of a log-normal whose 95 % range has the same ratio of high to low."""
    return ((span.high / span.low).ln() / (2 * value_of(given, "interval_width"))).exp()


def absurd(given: dict[str, Any], supplier: str, model: str, output_token: Span | None) -> str | None:
    """Why the price of an output token forbids to use the figure; None where it does not, or no price is listed."""
    if output_token is None:
        return None
    library = next((ours for ours, seller in SELLERS.items() if supplier in (ours, seller)), supplier)
    return implausible(given, library, model, output_token.central) or None


_NOTHING = Span(Decimal(0), Decimal(0), Decimal(0))


def _term(span: Span, is_inside: bool | None) -> Span:
    """A ratio where its part is outside, 1 where it is inside, and anything between where nobody says."""
    if is_inside is None:
        return Span(Decimal(1), span.central.sqrt(), span.high)
    return ONE if is_inside else span


def _times(one: Span, other: Span) -> Span:
    return Span(one.low * other.low, one.central * other.central, one.high * other.high)
