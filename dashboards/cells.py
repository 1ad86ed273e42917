"""Cells of tables that are more than text: names with small print, ranges, gaps, and bars.

What does not belong here: tables. Each function returns the trusted HTML of one cell; what comes from data is escaped.
"""

from html import escape
from typing import Any

from pipelines import units


def named(name: str, *below: Any, colour: str = "") -> str:
    """HTML of a cell with a name, the colour that stands for it in charts and, small, what else there is to know."""
    said = " · ".join(str(text) for text in below if not units.is_unknown(text))
    mark = f'<i class="j-swatch" style="background:{colour}"></i>' if colour else ""
    return f"<td>{mark}{escape(name)}{f'<small>{escape(said)}</small>' if said else ''}</td>"


def dated(age: Any, since: Any) -> str:
    """HTML of a cell with an age in days and the day that it is counted from, a dash where there is none."""
    if units.is_unknown(age):
        return '<td class="n u">–</td>'
    return f'<td class="n">{units.count(age)}<small>{units.day(since)}</small></td>'


def ranged(central: Any, low: Any, high: Any) -> str:
    """HTML of a cell with a number and, small, its range."""
    if units.is_unknown(central):
        return f'<td class="n u">{units.UNKNOWN}</td>'
    known = not units.is_unknown(low) and not units.is_unknown(high)
    ends = f"{units.number(low)} to {units.number(high)}" if known else "range unknown"
    return f'<td class="n">{units.number(central)}<small>{ends}</small></td>'


def energy(row: Any) -> str:
    """HTML of a cell with a row's `energy_kwh` and, small, its range."""
    return ranged(row.energy_kwh, row.energy_kwh_low, row.energy_kwh_high)


def share(said: str, part: Any) -> str:
    """HTML of a cell with a short bar for a share of a whole; no bar where there is none."""
    if units.is_unknown(part):
        return '<td class="b s"></td>'
    return bar(said, None, part, None, 1.0, kind="b s")


def gap(row: Any) -> str:
    """HTML of a cell with a row's `gap_ratio`, its sign, and its `tolerance_ratio` below."""
    if units.is_unknown(row.gap_ratio):
        return '<td class="n u">unknown</td>'
    sign = "+" if row.gap_ratio > 0 else "−" if row.gap_ratio < 0 else ""
    share = units.percent(abs(row.gap_ratio))
    said = f"{share[:2]}{sign}{share[2:]}" if share[0] in "<>" else f"{sign}{share}"
    tolerated = row.tolerance_ratio
    allowed = "" if units.is_unknown(tolerated) else f"<small>±{units.percent(tolerated)} tolerated</small>"
    return f'<td class="n">{said}{allowed}</td>'


def bar(
    said: str, low: Any, central: Any, high: Any, end: float, *, ahead: Any = None, wall: Any = None, kind: str = "b"
) -> str:
    """HTML of a cell with a bar: the central figure, its range and, for a ceiling, the forecast and the wall.

    Args:
        said: the same in words, for people who do not see it.
        low, central, high: the estimate; a range beyond `end` is cut off, with an arrow head.
        end: value at the right edge.
        ahead: the forecast, drawn as a diamond.
        wall: the limit, drawn as a red line; what lies beyond it is reddish.
        kind: CSS classes of the cell.
    """

    def at(value: Any) -> float:
        return round(min(max(float(value), 0.0) / end, 1.0) * 100, 2)

    pieces = ['<i class="track"></i>']
    if not units.is_unknown(wall):
        pieces.append(f'<i class="past" style="left:{at(wall)}%"></i>')
    if not units.is_unknown(low) and not units.is_unknown(high) and low != high:
        pieces.append(f'<i class="low-high" style="left:{at(low)}%;width:{round(at(high) - at(low), 2)}%"></i>')
    if units.is_unknown(central):
        pieces.append('<em class="j-status open">unknown</em>')
    else:
        pieces.append(f'<i class="central" style="width:{at(central)}%"></i>')
    if not units.is_unknown(wall):
        pieces.append(f'<i class="wall" style="left:{at(wall)}%"></i>')
    if not units.is_unknown(ahead) and ahead <= end:
        pieces.append(f'<i class="ahead" style="left:{at(ahead)}%"></i>')
    if any(not units.is_unknown(value) and value > end for value in (central, high, ahead)):
        pieces.append('<i class="beyond"></i>')
    label = escape(said).replace("&lt;", "‹")  # the sanitizer of the page drops an attribute that looks like a tag
    return f'<td class="{kind}"><div class="j-bar" role="img" aria-label="{label}">{"".join(pieces)}</div></td>'
