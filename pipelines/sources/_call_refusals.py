"""What is refused of a call log: which file, line, field and rule, and which day it holds back.

The texts of the refused lines stay in the organisation's own files: a line may hold prompts or names, so only its
number and the fields that Jevons reads are kept.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from pipelines import engine
from pipelines.errors import Finding
from pipelines.sources import _files, _scans
from pipelines.sources._call_options import Options
from pipelines.sources._call_plan import Plan, day_text, judged_query, near_days
from pipelines.sources._files import Given
from pipelines.units import noun
from pipelines.window import Window

log = logging.getLogger(__name__)

SHOWN_LINES = 20
WRONG = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException)
MEND = "correct it at the source and land the day again"
BROKEN_LINES = {
    "MISSING COLUMNS": "it has fewer fields than the header",
    "TOO MANY COLUMNS": "it has more fields than the header",
    "UNQUOTED VALUE": "a quote is out of place or never closed",
    "INVALID ENCODING": "it is not UTF-8 text",
    "INVALID STATE": "a quote or a line end is out of place",
    "LINE SIZE OVER MAXIMUM": "it is too long for one call",
}
BAD = "create table if not exists bad (file varchar, line bigint, place varchar, field varchar, value varchar, " \
      "rule varchar, hold date, file_day date, fields varchar[])"


@dataclass
class Refusals:
    """Collects what is wrong; lines in a table of the connection, because there may be millions."""

    options: Options
    window: Window
    files: dict[date | None, list[Finding]] = field(default_factory=dict)
    judged: bool = False

    def file(self, file: Given, rule: str, fix: str, where: str | None = None) -> None:
        """Refuses a whole file, and with it every day of the window that it could have had calls of."""
        for day in self._days_of(file.day):
            self.files.setdefault(day, []).append(
                Finding(where or file.shown, rule, fix, day.isoformat() if day else None)
            )

    def judge(self, duck: duckdb.DuckDBPyConnection, plan: Plan, path: Path) -> bool:
        """Writes the file's records with what is wrong with each to `path`, or refuses the file as a whole."""
        file = plan.files[0]
        if not self.judged:
            duck.execute(BAD)
            self.judged = True
        rejects = f"rejects_{path.stem.rpartition('-')[2]}"
        try:
            query = judged_query(plan, self.options, rejects)
            duck.execute(f"copy ({query}) to {engine.text(path)} (format parquet, compression snappy)")
        except WRONG as error:
            why = str(error).splitlines()[0].partition(": ")[2].rstrip(".")[:120]
            if file.format != "parquet" and _files.mixed_line_ends(file):
                why = "its lines end with CR LF in some places and with LF in others"
            self.file(file, why, "write the file again with a single kind of line end and closed quotes")
            return False
        if file.format != "parquet":
            self._structure(duck, file, rejects)
        self._lines(duck, file, path, rejects)
        return True

    def findings(self, duck: duckdb.DuckDBPyConnection) -> dict[date | None, list[Finding]]:
        """What holds back each day (None: the whole window): refused files, the first lines, and how many lines."""
        found = {day: list(some) for day, some in self.files.items()}
        for day in self._held_by_lines(duck):
            iso = day.isoformat() if day else None
            which = self._which(day)
            shown = duck.execute(
                f"select place, field, value, rule from bad where {which} order by file, line limit {SHOWN_LINES}"
            ).fetchall()
            lines = duck.execute(f"select count(distinct (file, line)) from bad where {which}").fetchone()[0]
            found.setdefault(day, []).extend(_line(*row, iso) for row in shown)
            found[day].append(Finding(
                f"the call log of {day or 'this window'}", f"{lines} {noun(lines, 'line was', 'lines were')} refused",
                f"the first {SHOWN_LINES} are named, all are listed in quarantine" if lines > SHOWN_LINES
                else "each is named", iso,
            ))
        return found

    def rejected(self, duck: duckdb.DuckDBPyConnection, day: date, path: Path) -> Path | None:
        """Writes every refused line that holds back the day; None where there is none."""
        if not self.judged:
            return None
        which = f"({self._which(day)}) or ({self._which(None)})"
        if not duck.execute(f"select count(*) from bad where {which}").fetchone()[0]:
            return None
        duck.execute(
            f"copy (select file, line, field, value, rule, fields from bad where {which} order by file, line, field) "
            f"to {engine.text(path)} (format parquet, compression zstd)"
        )
        return path

    def _structure(self, duck: duckdb.DuckDBPyConnection, file: Given, rejects: str) -> None:
        """Lines that are no records: their day is unknown, so every day that the file may be of is held back."""
        rules = " ".join(f"when {engine.text(kind)} then {engine.text(rule)}" for kind, rule in BROKEN_LINES.items())
        duck.execute(f"""
            insert into bad
            select distinct {engine.text(file.shown)}, line, {engine.text(file.shown + ', line ')} || line, '', '',
                case error_type::varchar {rules} else lower(error_type::varchar) end, null::date, {day_text(file.day)},
                []::varchar[]
            from {rejects}
        """)

    def _lines(self, duck: duckdb.DuckDBPyConnection, file: Given, path: Path, rejects: str) -> None:
        """Records that break a rule, by line number where each record is one line."""
        records = f"read_parquet({engine.text(path)})"
        if not duck.execute(f"select count(*) from {records} where len(wrong) > 0").fetchone()[0]:
            return
        line, place, joined = "b.record", "line" if file.format == "jsonl" else "row", ""
        if file.format == "csv":
            duck.execute(f"""
                create or replace temp table positions as
                select line_number, row_number() over (order by line_number) as position
                from ({_scans.lines(file)})
                where line_number > 1 and line_number not in (select line from {rejects})
            """)
            # Blank lines are no records; where values hold line breaks, the record is told instead of the line.
            counted = duck.execute(
                f"select (select count(*) from positions) = (select count(*) from {records})"
            ).fetchone()[0]
            place = "record"
            if counted:
                line, place, joined = "p.line_number", "line", "join positions p on p.position = b.record"
        near = "true"
        if file.day:
            days = near_days(file.day, self.options.spill_days)
            near = f"b.started_at_utc >= timestamp '{days.first}' and b.started_at_utc < timestamp '{days.end}'"
        duck.execute(f"""
            insert into bad
            with broken as (
                select record, started_at_utc, file_day, fields, unnest(wrong) as w from {records} where len(wrong) > 0
            )
            select {engine.text(file.shown)}, {line}, {engine.text(f'{file.shown}, {place} ')} || {line},
                w.field, w.value, w.rule,
                case when b.started_at_utc is null then null when {near} then b.started_at_utc::date
                    else b.file_day end,
                b.file_day, b.fields
            from broken b {joined}
        """)

    def _days_of(self, file_day: date | None) -> Iterator[date | None]:
        if file_day is None:
            yield None
            return
        for day in near_days(file_day, self.options.spill_days).days():
            if day in self.window:
                yield day

    def _held_by_lines(self, duck: duckdb.DuckDBPyConnection) -> Sequence[date | None]:
        if not self.judged:
            return []
        candidates = [*self.window.days(), *([] if self.options.dated else [None])]
        return [
            day for day in candidates
            if duck.execute(f"select exists (from bad where {self._which(day)})").fetchone()[0]
        ]

    def _which(self, day: date | None) -> str:
        if day is None:
            return "hold is null and file_day is null"
        return f"hold = date '{day}' or " \
               f"(hold is null and abs(file_day - date '{day}') <= {self.options.spill_days})"


def _line(place: str, name: str, value: str, rule: str, iso: str | None) -> Finding:
    where = f"{place}, field {name}" if name else place
    return Finding(f"{where}, value {value!r}" if value else where, rule, MEND, iso)
