"""Figures of suppliers as factors: the arithmetic by hand, and laws of what is not said."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given as tried_with
from hypothesis import strategies

from pipelines.factors import disclosed, inputs
from pipelines.factors.disclosed import Boundary, of_facility
from pipelines.factors.values import Span

GIVEN = inputs()
INSIDE = dict.fromkeys(("host", "idle", "pue", "mean"), True)
BESIDE = {"embodied": False, "upstream": False}


def span(low, central, high) -> Span:
    return Span(Decimal(low), Decimal(central), Decimal(high))


def ends(found: Span) -> list[float]:
    return [float(found.low), float(found.central), float(found.high)]


def made(figure: Span, assurance="none", gsd=None, **said) -> Span:
    with localcontext(prec=50):
        return of_facility(GIVEN, figure, gsd and Decimal(gsd), assurance, Boundary(**{**INSIDE, **BESIDE, **said}))


@pytest.mark.parametrize("assurance, low, high", [
    ("none", 1 / 2.2138025, 2.2138025),  # 1.5^1.96 = exp(1.96 x 0.4054651)
    ("limited", 1 / 1.8007532, 1.8007532),  # 1.35^1.96 = exp(1.96 x 0.3001046)
    ("reasonable", 1 / 1.4295365, 1.4295365),  # 1.2^1.96 = exp(1.96 x 0.1823216)
])
def test_a_figure_without_a_range_takes_that_of_its_assurance(assurance, low, high):
    assert ends(made(span(1, 1, 1), assurance)) == pytest.approx([low, 1, high], rel=1e-7)


def test_a_stated_range_widens_and_never_narrows():
    """1.2^1.96 = 1.4295365: the low end 0.5 is wider and stays, the high end 1.1 is not. 2^1.96 = 3.8906198."""
    assert ends(made(span("0.5", 1, "1.1"), "reasonable")) == pytest.approx([0.5, 1, 1.4295365], rel=1e-7)
    assert ends(made(span(1, 1, 1), "reasonable", gsd="2")) == pytest.approx([1 / 3.8906198, 1, 3.8906198], rel=1e-6)
    assert made(span(1, 1, 1), gsd="1.1") == made(span(1, 1, 1))


def test_what_is_outside_is_added_and_what_is_not_said_may_be_either():
    """Host outside: x 1.25, 1.35, 1.45. PUE not said: x 1, sqrt(1.15) = 1.0723805, 1.54. A median: x 1.27, 1.44, 1.64.

    0.24 Wh: 0.24 / 2.2138025 = 0.1084108 and 0.24 x 2.2138025 = 0.5313126.
    Low 0.1084108 x 1.25 x 1.27 = 0.1721021; 0.24 x 1.35 x 1.0723805 x 1.44 = 0.5003298;
    high 0.5313126 x 1.45 x 1.54 x 1.64 = 1.9457297.
    """
    found = made(span("0.24", "0.24", "0.24"), host=False, pue=None, mean=False)
    assert ends(found) == pytest.approx([0.1721021, 0.5003298, 1.9457297], rel=1e-6)


def test_flags_say_what_was_done():
    boundary = Boundary(host=False, idle=None, pue=True, mean=False, embodied=None, upstream=False)
    assert boundary.flags() == (
        "pue;host_added;idle_not_said;median_raised;embodied_not_said;no_upstream;no_network;no_training")


@tried_with(strategies.fixed_dictionaries({name: strategies.sampled_from([True, False, None]) for name in INSIDE}),
            strategies.sampled_from(sorted(INSIDE)), strategies.sampled_from(disclosed.ASSURANCES),
            strategies.tuples(*[strategies.integers(1, 10**6)] * 3).map(sorted))
def test_saying_less_never_narrows_the_range(said, hidden, assurance, figure):
    known, less = (made(span(*figure), assurance, **parts) for parts in (said, {**said, hidden: None}))
    assert less.low <= known.low <= known.central <= known.high <= less.high
    assert less.low <= less.central <= less.high


def test_the_parts_of_a_facility_are_its_whole():
    """1.35 x 1.12 x 1.15 = 1.7388, beside the 1.72 of a production fleet that other factors take for all three."""
    outside = made(span(1, 1, 1), host=False, idle=False, pue=False)
    assert float(outside.central) == pytest.approx(1.7388)
    assert abs(outside.central / Decimal(GIVEN["coefficients"]["facility_ratio"]["value"]) - 1) < Decimal("0.05")


def test_tokens_that_are_not_named_follow_from_those_that_are():
    """Cached: 0.01, 0.10, 0.25 of an input token; written: 1, 1, 1.25 of it. A request's tokens are within it."""
    tokens = {"output_token": span(1, 2, 4), "input_token": span(10, 20, 40)}
    found = disclosed.unstated(GIVEN, tokens)
    assert {unit: why for unit, (_, why) in found.items()} == {
        "request": "within", "cached_input_token": "from input_token", "cache_write_token": "from input_token"}
    assert ends(found["cached_input_token"][0]) == [0.1, 2, 10]
    assert ends(found["cache_write_token"][0]) == [10, 20, 50]
    assert ends(found["request"][0]) == [0, 0, 0]
    held = disclosed.unstated(GIVEN, {"output_token": span(1, 2, 4), "input_token": span(0, 0, 0)})
    assert {why for _, why in held.values()} == {"within"}
    assert set(disclosed.unstated(GIVEN, {"request": span(1, 2, 4)})) == set(disclosed.TOKENS)


@pytest.mark.parametrize("units, expected", [
    (["request"], None), (["image"], None), (["input_token", "output_token"], None), (["output_token"], "input_token"),
    (["input_token"], "output_token"), (["cached_input_token"], "output_token"),
])
def test_figures_have_to_be_the_whole_of_a_use(units, expected):
    assert disclosed.missing(dict.fromkeys(units)) == expected


def test_a_figure_dearer_than_its_price_is_quarantined():
    """gpt-4o sells a million output tokens for 10 USD: 1e-5 USD each, of which a quarter is 2.5e-6 USD.

    At 0.08 USD/kWh that buys 3.125e-5 kWh; 6.25e-5 kWh would cost half of the price.
    """
    found = [disclosed.absurd(GIVEN, "openai", "gpt-4o", span(0, kwh, 1)) for kwh in ("0.000031", "0.0000625")]
    assert found == [None, "electricity would be 50% of the list price"]
    assert disclosed.absurd(GIVEN, "google", "gemini-2.5-pro", span(0, "0.9", 1)) is not None  # as the calls name it
    assert disclosed.absurd(GIVEN, "nobody", "gpt-4o", span(0, "0.9", 1)) is None
    assert disclosed.absurd(GIVEN, "openai", "gpt-4o", None) is None


def test_the_spread_is_that_of_the_range():
    assert float(disclosed.spread(GIVEN, made(span(1, 1, 1)))) == pytest.approx(1.5)
