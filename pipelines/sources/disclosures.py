"""What suppliers have disclosed in writing of the energy of a model, from the organisation's own file.

How a figure becomes a factor belongs to `pipelines.factors.disclosed`; on which days and calls it counts, to dbt.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal, localcontext
from typing import Any

import pyarrow.parquet as pq

from pipelines.factors import disclosed, inputs
from pipelines.factors.values import Span
from pipelines.source import Column, Context, Page, Source, Table
from pipelines.sources._small_files import MEND, OPTIONS, records, told
from pipelines.userfiles import Refusals
from pipelines.window import Window

NAME = "disclosures"
SAID = ("included", "excluded")
WH_PER = {"Wh": Decimal(1000), "kWh": Decimal(1)}
Figures = Sequence[Mapping[str, Any]]
LANDED = "raw/disclosures/figures/part.parquet"
COLUMNS = (
    Column("disclosure_id", "VARCHAR", "The disclosure; its figures share all but unit and energy.", required=True),
    Column("provider", "VARCHAR", "The supplier, as the calls name it.", required=True),
    # one model: the mean of several would hide what each takes, and count for one that the document has not seen
    Column("model", "VARCHAR", "The model, as the calls name it.", required=True),
    Column("unit", "VARCHAR", "What the energy is for.", required=True, allowed=disclosed.UNITS),
    Column("unit_count", "BIGINT", "For how many of them, such as 1000000 tokens; null = one.", minimum=1,
           additive=False),
    Column("energy", "DECIMAL(24,9)", "The figure, in energy_unit.", required=True, minimum=0, additive=False),
    Column("energy_low", "DECIMAL(24,9)", "Low end of its 95 % range; null = not stated.", minimum=0, additive=False),
    Column("energy_high", "DECIMAL(24,9)", "High end of its 95 % range; null = not stated.", minimum=0, additive=False),
    Column("gsd_ratio", "DECIMAL(12,6)", "Its geometric standard deviation, instead of ends; null = not stated.",
           minimum=1, additive=False),
    Column("energy_unit", "VARCHAR", "Wh or kWh.", required=True, allowed=tuple(WH_PER)),
    Column("statistic", "VARCHAR", "What the figure is of its requests; null = not said.", allowed=("mean", "median")),
    Column("pue", "VARCHAR", "Cooling and power supply of the site; null = not said.", allowed=SAID),
    Column("host", "VARCHAR", "What a machine takes beside its accelerators; null = not said.", allowed=SAID),
    Column("idle", "VARCHAR", "Machines held ready; null = not said.", allowed=SAID),
    Column("embodied", "VARCHAR", "The making of hardware; null = not said.", allowed=SAID),
    Column("upstream", "VARCHAR", "The making of electricity and fuel; null = not said.", allowed=SAID),
    Column("assurance", "VARCHAR", "Who has checked the figure.", required=True, allowed=disclosed.ASSURANCES),
    Column("source_title", "VARCHAR", "Title of the document.", required=True),
    Column("source_url", "VARCHAR", "Its address, or where it is kept.", required=True),
    Column("valid_from", "DATE", "First day of use that it is for.", required=True),
    Column("valid_to", "DATE", "First day of use that it is no longer for; null = until a later one."),
)
OF_FIGURE = {"unit", "unit_count", "energy", "energy_low", "energy_high", "gsd_ratio", "energy_unit"}
MADE = (
    Column("basis", "VARCHAR", "stated; within = another figure holds it; from input_token.", required=True),
    Column("kwh_per_unit_low", "DECIMAL(18,18)", "Low end of kwh_per_unit.", required=True, minimum=0, additive=False),
    Column("kwh_per_unit", "DECIMAL(18,18)", "Facility energy of one unit.", required=True, minimum=0, additive=False),
    Column("kwh_per_unit_high", "DECIMAL(18,18)", "High end of kwh_per_unit.", required=True, minimum=0,
           additive=False),
    Column("factor_gsd_ratio", "DECIMAL(12,6)", "Geometric standard deviation of the widest figure.", minimum=1,
           additive=False),
    Column("boundary_flags", "VARCHAR", "What is inside, was added, or is not said.", required=True),
    Column("quarantine_reason", "VARCHAR", "Why it may not be used; null = it may."),
)


def rule(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """What is wrong with a figure by itself, or None."""
    low, central, high = (record[f"energy{end}"] for end in ("_low", "", "_high"))
    for name in ("embodied", "upstream"):
        if record[name] == "included":
            return name, "energy of a whole life is no energy of use, and is not added to it; ask for the latter"
    if (low is None) != (high is None) or (low is not None and not low <= central <= high):
        return "energy", "a range has two ends, and the figure lies between them"
    if low == 0 and high:
        return "energy_low", "a range on a logarithm has no end at 0"
    if low is not None and record["gsd_ratio"] is not None:
        return "gsd_ratio", "the range is stated twice"
    if record["valid_to"] is not None and record["valid_to"] < record["valid_from"]:
        return "valid_to", "it is before valid_from; a disclosure that shall never count ends on its first day"
    return None


def fetch(context: Context, window: Window) -> Iterator[Page]:
    """Yields all disclosures; one that is wrong holds the whole table back, because each decides which is used."""
    refusals = Refusals()
    rows = _read(context, refusals)
    unused = sorted({(row["disclosure_id"], row["quarantine_reason"]) for row in rows if row["quarantine_reason"]})
    warnings = tuple(f"{name} is not used: {why}" for name, why in unused)
    yield Page(rows, context.options(NAME)["path"], warnings, refusals.all())


def check(context: Context) -> str:
    """Reads the files as a run would, for `jevons doctor`."""
    refusals = Refusals()
    rows = _read(context, refusals)
    return told(context, NAME, len({row["disclosure_id"] for row in rows}), refusals)


def _read(context: Context, refusals: Refusals) -> list[dict[str, Any]]:
    given, found, places = inputs(), {}, {}
    for row, record in records(context, NAME, COLUMNS, refusals, rule):
        found.setdefault(record["disclosure_id"], []).append(record)
        places.setdefault(record["disclosure_id"], row.where)
    if refusals.found:
        return []  # what is left of a disclosure is not what it says
    landed = _landed(context)
    rows: list[dict[str, Any]] = []
    firsts: dict[tuple[str, str, date], str] = {}
    for name, figures in found.items():
        first = figures[0]
        broken = _whole(figures) or _changed(figures, landed.get(name))
        holds = first["valid_to"] is None or first["valid_to"] > first["valid_from"]
        twin = firsts.setdefault((first["provider"], first["model"], first["valid_from"]), name) if holds else name
        if not broken and twin != name:
            broken = "valid_from", f"{twin} is for the same model from the same day on; end one of them on that day"
        made = [] if broken else _made(given, figures, landed.get(name))
        if not broken and any(row["kwh_per_unit_high"] >= 1 for row in made):
            broken = "energy", "it may be 1 kWh or more a unit, which no single one takes; look at unit and energy_unit"
        if broken:
            refusals.add(f"{places[name]}, field {broken[0]}", broken[1], MEND, None)
        rows += made
    for name in sorted(landed.keys() - found.keys()):
        refusals.add(context.options(NAME)["path"], f"{name} is not there any more, and figures may rest on it",
                     "put it back; to end it, give it a valid_to", None)
    return rows


def _landed(context: Context) -> dict[str, list[dict[str, Any]]]:
    """What was made of each disclosure when it was landed: a factor is not made anew."""
    path = context.settings.home / LANDED
    found: dict[str, list[dict[str, Any]]] = {}
    for row in pq.read_table(path).to_pylist() if path.is_file() else ():
        found.setdefault(row["disclosure_id"], []).append(row)
    return found


def _whole(figures: Figures) -> tuple[str, str] | None:
    """What is wrong with the figures of one disclosure together, or None."""
    for column in COLUMNS:
        if column.name not in OF_FIGURE and len({figure[column.name] for figure in figures}) > 1:
            return column.name, f"the figures of {figures[0]['disclosure_id']} do not agree on it"
    units = {figure["unit"]: figure for figure in figures}
    if len(units) < len(figures):
        return "unit", f"{figures[0]['disclosure_id']} states one twice"
    if unit := disclosed.missing(units):
        return "unit", f"{figures[0]['disclosure_id']} says nothing of {unit}; write 0 where the other figure holds it"
    if not any(figure["energy"] for figure in figures):
        return "energy", "0 is no disclosed energy"
    return None


def _changed(figures: Figures, landed: Figures | None) -> tuple[str, str] | None:
    """A column that was landed otherwise, or None: what figures rest on is ended, never changed."""
    names = [column.name for column in COLUMNS if column.name != "valid_to"]
    before = {row["unit"]: row for row in landed or () if row["basis"] == "stated"}
    now = {figure["unit"]: figure for figure in figures}
    said = "is not what was landed, and figures may rest on that; end this one by valid_to, give the new one its own id"
    if landed and before.keys() != now.keys():
        return "unit", f"the list of units {said}"
    wrong = next((name for name in names for unit in before if before[unit][name] != now[unit][name]), None)
    return (wrong, f"it {said}") if wrong else None


def _made(given: dict[str, Any], figures: Figures, landed: Figures | None) -> list[dict[str, Any]]:
    """The rows of one disclosure: its figures as factors, and the units that follow from them."""
    shared = {name: value for name, value in figures[0].items() if name not in OF_FIGURE}
    if landed:
        return [{**row, "valid_to": shared["valid_to"]} for row in landed]
    parts = {name: None if shared[name] is None else shared[name] == "included"
             for name in ("host", "idle", "pue", "embodied", "upstream")}
    mean = None if shared["statistic"] is None else shared["statistic"] == "mean"
    boundary = disclosed.Boundary(mean=mean, **parts)
    with localcontext(prec=50):
        spans = {
            figure["unit"]: disclosed.of_facility(
                given, _stated(figure), figure["gsd_ratio"], shared["assurance"], boundary) for figure in figures
        }
        others = disclosed.unstated(given, spans)
        widest = max(disclosed.spread(given, span) for span in spans.values() if span.low > 0)
        made = {
            "factor_gsd_ratio": round(widest, 6), "boundary_flags": boundary.flags(),
            "quarantine_reason": disclosed.absurd(
                given, shared["provider"], shared["model"], spans.get("output_token")),
        }
        return [
            *({**figure, **made, "basis": "stated", **_kwh(spans[figure["unit"]])} for figure in figures),
            *({**shared, **made, "unit": unit, "basis": basis, **_kwh(span)} for unit, (span, basis) in others.items()),
        ]


def _stated(figure: Mapping[str, Any]) -> Span:
    """The figure in kWh for one unit."""
    units = WH_PER[figure["energy_unit"]] * (figure["unit_count"] or 1)
    low, central, high = (figure[f"energy{end}"] for end in ("_low", "", "_high"))
    return Span((central if low is None else low) / units, central / units, (central if high is None else high) / units)


def _kwh(span: Span) -> dict[str, Decimal]:
    return {f"kwh_per_unit{end}": round(value, 18)
            for end, value in zip(("_low", "", "_high"), (span.low, span.central, span.high), strict=True)}


SOURCE = Source(
    name=NAME,
    description="What suppliers have disclosed of the energy of their models.",
    options=OPTIONS,
    check=check,
    tables=(
        Table(
            "figures",
            # what follows from a figure was not stated itself
            (*(replace(column, required=False) if column.name in OF_FIGURE - {"unit"} else column
               for column in COLUMNS), *MADE),
            ("disclosure_id", "unit"), fetch, "One row per disclosure and unit.", daily=False,
        ),
    ),
)
