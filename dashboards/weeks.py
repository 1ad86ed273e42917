"""The calendar of the pages: periods to choose from, days summed to weeks, weeks set against the first one.

What does not belong here: SQL, words and drawing.
"""

from collections.abc import Sequence
from datetime import date, timedelta

import pandas

from pipelines import units


def periods(first_day: date, last_day: date) -> dict[str, tuple[date, date]]:
    """The periods that a reader can choose: all days, the last 30, each calendar month."""
    chosen = {"Whole range": (first_day, last_day)}
    if (last_day - first_day).days >= 30:
        chosen["Last 30 days"] = (last_day - timedelta(days=29), last_day)
    month = first_day.replace(day=1)
    while month <= last_day and (first_day.year, first_day.month) != (last_day.year, last_day.month):
        following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
        chosen[units.month(month)] = (max(first_day, month), min(last_day, following - timedelta(days=1)))
        month = following
    return chosen


def weeks(daily: pandas.DataFrame, columns: Sequence[str]) -> pandas.DataFrame:
    """Sum days to weeks that begin on Monday; `complete` says whether all seven days are there.

    A sum over days of which none is known stays unknown.
    """
    if daily.empty:
        return pandas.DataFrame(columns=["week", *columns, "days", "complete"])
    day = pandas.to_datetime(daily["usage_date"])
    week = (day - pandas.to_timedelta(day.dt.day_of_week, unit="D")).rename("week")
    grouped = daily.assign(usage_date=day).groupby(week)
    frame = grouped[list(columns)].sum(min_count=1)
    frame["days"] = grouped["usage_date"].nunique()
    frame["complete"] = frame["days"] == 7
    return frame.reset_index()


def indexed(weekly: pandas.DataFrame) -> pandas.DataFrame:
    """Set calls, energy and energy per call of the first full week to 100; empty if no second week can be compared."""
    full = weekly[weekly["complete"].astype(bool)].copy()
    if len(full) < 2:
        return full.iloc[0:0]
    first = full.iloc[0]
    if pandas.isna(first["energy_kwh"]) or not first["energy_kwh"] or not first["calls"]:
        return full.iloc[0:0]
    full["calls_index"] = full["calls"] / first["calls"] * 100
    full["energy_index"] = full["energy_kwh"] / first["energy_kwh"] * 100
    full["per_call_index"] = full["energy_index"] / full["calls_index"].where(full["calls"] > 0) * 100
    return full


def change(weekly: pandas.DataFrame, column: str) -> float | None:
    """Ratio by which a column rose (or fell, below 0) from the first to the last full week that knows it."""
    known = weekly[weekly["complete"].astype(bool) & weekly[column].notna()][column]
    if len(known) < 2 or not known.iloc[0]:
        return None
    return float(known.iloc[-1] / known.iloc[0] - 1)
