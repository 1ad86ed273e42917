"""Lines of the meter: where the energy of own machines went, piece by piece, up to what their meters read.

What does not belong here: whether a meter is right; `meters` holds it against the counters behind it.
"""

from functools import partial
from typing import Any

import pandas

from dashboards import charts, parts, style, tables, words_of_hardware
from dashboards.book import Book
from dashboards.questions import hardware
from dashboards.tables import Column
from pipelines import units

_DRAWN = 12
_KINDS = {name: (words_of_hardware.LINES[name][0], style.LINES[name]) for name in words_of_hardware.LINES}


def section(book: Book, anchor: str) -> None:
    """The finding, one bar a machine and the table in which each row adds up."""
    if not book.holds("fct_energy_line_daily"):
        return
    lines = hardware.energy_lines(book)
    if lines.empty:
        parts.heading("No energy of own machines is known in these days", anchor=anchor)
        parts.empty(
            "The lines of a machine come from the counters of its GPUs and its meter, in jevons.toml the sources "
            "`gpu_prometheus` and `meters`. Check them:",
            "jevons doctor",
        )
        return
    metered = lines[lines["is_metered"]]
    cooling = hardware.overhead_kwh(book)
    beyond = "" if cooling is None else (
        f" Cooling and power conversion lie beyond these meters: {units.energy(cooling)} are booked for them, at all "
        "sites."
    )  # fmt: skip
    parts.heading(
        words_of_hardware.lines_finding(metered.groupby("line")["energy_kwh"].sum()),
        "The lines of a machine add up to its meter over the hours that the meter read whole, to the joule; in other "
        f"hours only its GPUs are known.{beyond}",
        anchor,
    )
    machines = _machines(lines, hardware.meter_readings(book))
    _chart(metered, machines)
    _table(book, machines, [name for name in _kinds(lines) if name in set(lines["line"])])


def _kinds(lines: pandas.DataFrame) -> list[str]:
    return list(dict.fromkeys([*words_of_hardware.LINES, *lines["line"]]))


def _machines(lines: pandas.DataFrame, readings: pandas.DataFrame) -> pandas.DataFrame:
    """One row a machine: its lines in metered hours, their sum, the meter's reading and what is beside it."""
    metered = lines[lines["is_metered"]]
    wide = metered.pivot_table(index="host", columns="line", values="energy_kwh", aggfunc="sum")
    apart = lines[~lines["is_metered"]].groupby("host")["energy_kwh"].sum().rename("unmetered_kwh")
    hosts = pandas.Index(dict.fromkeys(lines["host"]), name="host")
    machines = wide.reindex(index=hosts, columns=_kinds(lines))
    machines = machines.assign(sum_kwh=machines.sum(axis=1, min_count=1)).join(apart)
    machines = machines.join(readings.set_index("host")["meter_kwh"]).reset_index()
    return machines.assign(
        difference_kwh=machines["meter_kwh"].astype(float) - machines["sum_kwh"]
    ).sort_values(["sum_kwh", "host"], ascending=[False, True], na_position="last", ignore_index=True)  # fmt: skip


def _chart(metered: pandas.DataFrame, machines: pandas.DataFrame) -> None:
    drawn = machines[machines["sum_kwh"].notna()].head(_DRAWN)
    if drawn.empty:
        return
    place = {host: at for at, host in enumerate(drawn["host"])}
    pieces = metered[metered["host"].isin(place)].rename(
        columns={"host": "name", "line": "kind", "energy_kwh": "kwh"}
    )  # fmt: skip
    pieces = pieces.assign(place=pieces["name"].map(place)).sort_values("place", kind="stable")
    wholes = drawn.rename(columns={"host": "name", "meter_kwh": "kwh"})[["name", "kwh"]]
    present = [("■", colour, name) for kind, (name, colour) in _KINDS.items() if kind in set(pieces["kind"])]
    some = f", the {_DRAWN} of most energy" if len(machines) > len(drawn) else ""
    title = f"Lines of each machine's meter{some}"
    key = parts.keys([*present, ("┃", style.INK, "what the meter read")])
    parts.subheading(title, "kWh over the days shown, from zero.", key=key)
    parts.chart(charts.piles(pieces, wholes, _KINDS, title), "energy-lines")


def _table(book: Book, machines: pandas.DataFrame, present: list[str]) -> None:
    columns = [
        Column("host", "Machine"),
        *(
            Column(name, f"{words_of_hardware.line(name)}, kWh", units.number, cell=partial(_line, name=name))
            for name in present
        ),
        Column("sum_kwh", "Sum of lines, kWh", units.number, missing="not metered"),
        Column("meter_kwh", "Meter, kWh", units.number, missing="not metered"),
        Column("difference_kwh", "Meter and sum", units.number, cell=_difference, full_label="Meter beyond sum, kWh"),
        Column("unmetered_kwh", "Other hours, kWh", units.number, missing="–", full_label="GPUs in other hours, kWh"),
    ]
    tables.report(book, "energy_lines", machines, columns, "Lines of the meter by machine")


def _line(row: Any, name: str) -> str:
    value = getattr(row, name)
    if units.is_unknown(value):
        return '<td class="n u">–</td>'
    share = units.percent(value / row.sum_kwh, 0) if row.sum_kwh else ""
    return f'<td class="n">{units.number(value, 4)}<small>{share}</small></td>'


def _difference(row: Any) -> str:
    known = not units.is_unknown(row.difference_kwh)
    return f'<td class="n{"" if known else " u"}">{words_of_hardware.identity(row.difference_kwh)}</td>'
