"""How quantities are written for people: number, prefix and unit; "unknown" when nothing is known.

What does not belong here: arithmetic on the ledger, colours, HTML. Every function takes a number or None.
Unknown is a state: None, NaN and NaT are written as "unknown", never as 0.
"""

import math
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

UNKNOWN = "unknown"

_NBSP = "\N{NO-BREAK SPACE}"
_METRIC_UNITS = {
    "energy_kwh": "kWh",
    "location_kgco2e": "kgCO2e",
    "market_kgco2e": "kgCO2e",
    "requests": "calls",
    "tokens": "tokens",
    "gpu_hours": "GPU hours",
    "cost_usd": "USD",
}
_METRIC_NAMES = {
    "energy_kwh": "Energy",
    "location_kgco2e": "Carbon, location-based",
    "market_kgco2e": "Carbon, market-based",
    "requests": "Model calls",
    "tokens": "Tokens",
    "gpu_hours": "GPU hours",
    "cost_usd": "Cost",
}
# A whole of at least twice the size is written with the prefix.
_WHOLES = {
    "energy_kwh": ((10**6, "GWh"), (10**3, "MWh")),
    "location_kgco2e": ((10**6, "ktCO2e"), (10**3, "tCO2e")),
    "market_kgco2e": ((10**6, "ktCO2e"), (10**3, "tCO2e")),
    "requests": ((10**9, "billion calls"), (10**6, "million calls")),
    "tokens": ((10**9, "billion tokens"), (10**6, "million tokens")),
}
_TIERS = {
    0: "metered",
    1: "GPU telemetry",
    2: "stated by the supplier",
    3: "benchmark of the model",
    4: "estimated from model parameters",
    5: "default value",
}
_ENERGY_STEPS = ((10**6, "GWh"), (10**3, "MWh"), (1, "kWh"), (Decimal("0.001"), "Wh"))
_CARBON_STEPS = ((10**6, "ktCO2e"), (10**3, "tCO2e"), (1, "kgCO2e"), (Decimal("0.001"), "gCO2e"))
# A cell that begins so is run as a formula by spreadsheets.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def is_unknown(value: Any) -> bool:
    """True for None, NaN and NaT: all the ways in which a table says that it does not know."""
    if value is None:
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    try:
        return value != value or (isinstance(value, float) and math.isnan(value))
    except TypeError:  # pandas.NA refuses to be a truth value
        return True


def number(value: Any, significant: int = 3) -> str:
    """Write a number with thousands separators and enough decimals for `significant` digits."""
    if is_unknown(value):
        return UNKNOWN
    amount = Decimal(str(value))
    if amount == 0:
        return "0"
    decimals = max(0, significant - 1 - amount.adjusted())
    text = f"{amount:,.{min(decimals, 9)}f}"
    if Decimal(text.replace(",", "")) == 0:  # something is never written as nothing
        return f"{amount:.1e}"
    return text


def aligned(values: Iterable[Any], significant: int = 4) -> Callable[[Any], str]:
    """Return a writer that gives all numbers of one column the same decimals, so that they line up."""
    largest = max((abs(Decimal(str(value))) for value in values if not is_unknown(value)), default=Decimal(0))
    decimals = max(0, significant - 1 - largest.adjusted()) if largest else 0
    least = Decimal(10) ** -decimals

    def write(value: Any) -> str:
        if is_unknown(value):
            return UNKNOWN
        amount = Decimal(str(value))
        if amount and abs(amount) < least / 2:  # something is never written as nothing
            return f"< {least:f}"
        return f"{amount:,.{decimals}f}"

    return write


def count(value: Any, unit: str = "") -> str:
    """Write a whole number, such as 12,345 calls."""
    return UNKNOWN if is_unknown(value) else _with_unit(f"{int(value):,}", unit)


def counted(value: Any, one: str, many: str = "") -> str:
    """Write a whole number with its noun in the right number, such as 1 day or 12 days.

    Args:
        value: how many.
        one: the noun, or a noun and its verb, of a single one.
        many: the same of several; `one` with an s where it is not given.
    """
    return count(value, noun(value, one, many))


def noun(value: Any, one: str, many: str = "") -> str:
    """The noun of so many, where the number is written by itself: day, or days."""
    return one if not is_unknown(value) and int(value) == 1 else many or f"{one}s"


def short_count(value: Any, unit: str = "") -> str:
    """Write a count in thousands or millions where it is long, such as 1.24 million."""
    if is_unknown(value):
        return UNKNOWN
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if abs(value) >= size:
            return _with_unit(f"{number(Decimal(str(value)) / size)}{_NBSP}{word}", unit)
    return count(value, unit)


def energy(value_kwh: Any) -> str:
    """Write an amount of energy given in kWh, as Wh, kWh, MWh or GWh."""
    return _prefixed(value_kwh, _ENERGY_STEPS)


def carbon(value_kgco2e: Any) -> str:
    """Write a mass of CO2 equivalent given in kg, as g, kg or t."""
    return _prefixed(value_kgco2e, _CARBON_STEPS)


def energy_range(low_kwh: Any, high_kwh: Any, central_kwh: Any = None) -> str:
    """Write the low and the high bound of an energy with one unit: that of the central figure, else of the low one."""
    return _range(low_kwh, high_kwh, central_kwh, _ENERGY_STEPS)


def carbon_range(low_kgco2e: Any, high_kgco2e: Any, central_kgco2e: Any = None) -> str:
    """Write both bounds of a mass of CO2 equivalent with one unit, as `energy_range` does."""
    return _range(low_kgco2e, high_kgco2e, central_kgco2e, _CARBON_STEPS)


def quantity_range(metric: str, low: Any, high: Any, central: Any = None) -> str:
    """Write both bounds of a ceiling's metric; energy and carbon with one unit."""
    if metric in ("energy_kwh", "location_kgco2e", "market_kgco2e"):
        return (energy_range if metric == "energy_kwh" else carbon_range)(low, high, central)
    return UNKNOWN if is_unknown(low) or is_unknown(high) else f"{quantity(metric, low)} to {quantity(metric, high)}"


def _range(low: Any, high: Any, central: Any, steps: tuple[tuple[Any, str], ...]) -> str:
    if is_unknown(low) or is_unknown(high):
        return UNKNOWN
    of = (low or high) if is_unknown(central) or not central else central
    size, unit = next((step for step in steps if abs(of) >= step[0]), steps[-1])
    return _with_unit(" to ".join(number(Decimal(str(bound)) / Decimal(size)) for bound in (low, high)), unit)


def quantity(metric: str, value: Any) -> str:
    """Write a quantity of a ceiling's metric, such as energy_kwh or requests, with its unit."""
    writers = {
        "energy_kwh": energy, "location_kgco2e": carbon, "market_kgco2e": carbon,
        "requests": lambda v: short_count(v, "calls"), "tokens": lambda v: short_count(v, "tokens"),
        "gpu_hours": lambda v: UNKNOWN if is_unknown(v) else _with_unit(number(v), "GPU hours"),
        "cost_usd": lambda v: UNKNOWN if is_unknown(v) else _with_unit(number(v), "USD"),
    }
    return writers.get(metric, number)(value)


def amounts(metric: str, whole: Any) -> tuple[Callable[[Any], str], str]:
    """How parts of a whole are written with one unit: a writer of numbers, and the unit of the whole."""
    steps = _WHOLES.get(metric, ())
    size, unit = next((step for step in steps if not is_unknown(whole) and abs(whole) >= 2 * step[0]),
                      (1, metric_unit(metric)))
    return lambda value: UNKNOWN if is_unknown(value) else number(Decimal(str(value)) / size), unit


def metric_name(metric: str) -> str:
    """Name a ceiling's metric for people."""
    return _METRIC_NAMES.get(metric, metric.replace("_", " "))


def metric_unit(metric: str) -> str:
    """Unit in which a ceiling's metric is kept."""
    return _METRIC_UNITS.get(metric, "")


def money(value: Any, currency: str = "") -> str:
    """Write an amount with two decimals, such as 12.30 EUR."""
    return UNKNOWN if is_unknown(value) else _with_unit(f"{value:,.2f}", currency)


def percent(value_ratio: Any, decimals: int = 1) -> str:
    """Write a ratio as a percentage; what is nearly all is not written as 100 %, nor a trace as 0 %."""
    if is_unknown(value_ratio):
        return UNKNOWN
    share = Decimal(str(value_ratio)) * 100
    step = Decimal(10) ** -decimals
    rounded = share.quantize(step)
    if rounded == 100 and share < 100:
        return f"> {100 - step}{_NBSP}%"
    if rounded == 0 and share > 0:
        return f"< {step}{_NBSP}%"
    if rounded in (0, 100):
        return f"{rounded:.0f}{_NBSP}%"
    return f"{rounded:,f}{_NBSP}%"


def day(value: Any) -> str:
    """Write a date in words, such as 12 August 2026, without depending on the machine's locale."""
    if is_unknown(value):
        return UNKNOWN
    if isinstance(value, str):
        value = date.fromisoformat(value[:10])
    return f"{value.day}{_NBSP}{month(value)}"


def month(value: date) -> str:
    """Write a month in words, such as August 2026."""
    return f"{_MONTHS[value.month - 1]} {value.year}"


def evidence(tier: Any) -> str:
    """Say in words how a figure is known; tier 0 is metered, tier 5 a default value."""
    return UNKNOWN if is_unknown(tier) else _TIERS.get(int(tier), f"tier {int(tier)}")


def safe_cell(value: Any) -> Any:
    """Return a value that a spreadsheet shows instead of running it; numbers pass unchanged."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return "'" + value
    return value


def _prefixed(value: Any, steps: tuple[tuple[Any, str], ...]) -> str:
    if is_unknown(value):
        return UNKNOWN
    amount = Decimal(str(value))
    if amount == 0:
        return _with_unit("0", next(unit for size, unit in steps if size == 1))
    for size, unit in steps:
        if abs(amount) >= size:
            return _with_unit(number(amount / Decimal(size)), unit)
    size, unit = steps[-1]
    return _with_unit(number(amount / Decimal(size)), unit)


def _with_unit(text: str, unit: str) -> str:
    return f"{text}{_NBSP}{unit}" if unit else text


_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
