"""Vega-Lite charts, each a pure function from a small frame to a specification.

What does not belong here: SQL, Streamlit, and sentences. Axes start at zero or say what they are relative to; a
ceiling is drawn as a wall. Specifications are plain dictionaries: building them as Altair objects took most of the
time in which a page with ten charts was made.
"""

from dashboards.charts.ceilings import burn_down, prefix
from dashboards.charts.frame import Spec, headroom
from dashboards.charts.piles import piles
from dashboards.charts.series import daily_line, index_lines, stacked_purposes, weekly_bars
from dashboards.charts.shares import delivery_tiles, stacked_shares
from dashboards.charts.spread import choices, is_far, quantiles, run_marks
from dashboards.charts.waterfall import waterfall

__all__ = [
    "Spec",
    "burn_down",
    "choices",
    "daily_line",
    "delivery_tiles",
    "headroom",
    "index_lines",
    "is_far",
    "piles",
    "prefix",
    "quantiles",
    "run_marks",
    "stacked_purposes",
    "stacked_shares",
    "waterfall",
    "weekly_bars",
]
