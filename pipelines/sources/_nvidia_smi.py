"""Lines of a log of `nvidia-smi --query-gpu=... --format=csv` as readings, each one or the reason why it is none.

Which files are read and what a day's file holds belongs to the source `nvidia_smi`.

Columns are read by name, whatever others there are, since nvidia-smi promises no stable form; that of `timestamp`,
local time without zone, is UNVERIFIED. What is no reading (a value in brackets, a line cut off, an hour that comes
twice) is left out and counted: that time is unknown.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any

from pipelines.sources._gpu_samples import LARGEST
from pipelines.sources._typed_texts import local_instants
from pipelines.units import noun
from pipelines.userfiles import File, Unreadable

POWERS = ("power.draw.average", "power.draw", "power.draw.instant")  # the first says best what an interval drew
UTILISATION = "utilization.gpu"
UNITS = {**dict.fromkeys(POWERS, "W"), UTILISATION: "%"}
STEP = Decimal("0.000001")
_NAME = re.compile(r"(?P<name>[^\[]*?)\s*(\[(?P<unit>[^\]]*)\])?")
_AT = re.compile(r"([0-9]{4})[/-]([0-9]{2})[/-]([0-9]{2}) ([0-9]{2}:[0-9]{2}):([0-5][0-9](?:\.[0-9]{1,6})?)")
_NUMBER = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(?: ?([W%]))?")
_UNTOLD = re.compile(r"\[.*\]|N/A|Not Supported|Unknown Error|ERR!|")
_UUID = re.compile(r"GPU-[\w-]{1,60}", re.ASCII)


class _NoReading(Exception):
    """A line that holds no reading, with the reason."""


@dataclass
class Log:
    """Reads logs, and counts the lines that it leaves out by day and reason.

    Attributes:
        columns: The columns of logs without a header; empty where they have one.
        holders: Who holds all boards of a machine.
    """

    zone: tzinfo
    columns: tuple[str, ...] = ()
    holders: Mapping[str, str] = field(default_factory=dict)
    left_out: Counter[tuple[date | None, str]] = field(default_factory=Counter)
    minutes: dict[str, list[datetime]] = field(default_factory=dict)

    def samples(self, file: File) -> Iterator[dict[str, Any]]:
        """The readings of a file with their places; its folder is the machine.

        Raises:
            Unreadable: from that place on, nothing in the file can be trusted.
        """
        with file.path.open(encoding="utf-8-sig", newline="") as lines:
            yield from self.read(lines, file.shown)

    def read(self, lines: Iterable[str], shown: str) -> Iterator[dict[str, Any]]:
        """The readings in lines of the file that is shown as that."""
        host, names = PurePosixPath(shown).parent.name, list(self.columns)
        rows = csv.reader(lines, skipinitialspace=True, strict=True)
        try:
            for cells in rows:
                where = f"{shown}, line {rows.line_num}"
                if cells and cells[0].strip() == "timestamp":
                    # a log that goes on after a restart has its header again
                    told = header(cells, where)
                    if names and told != names:
                        raise Unreadable(where, "its columns change here", "write each query to a file of its own")
                    names = told
                elif cells and not names:
                    raise Unreadable(where, "it has no header", "name its `columns` in [sources.nvidia_smi]")
                elif cells:
                    yield from self._of_line(cells, names, host, where)
        except (csv.Error, UnicodeDecodeError) as error:
            raise Unreadable(
                f"{shown}, line {rows.line_num + 1}", f"it is no CSV in UTF-8 ({type(error).__name__})",
                "mend that line, or write the log as UTF-8") from error

    def said(self, day: date | None) -> tuple[str, ...]:
        """What was left out of a day; None for lines of no known day."""
        return tuple(
            f"{day or 'no known day'}: {count} {noun(count, 'line')} of nvidia-smi left out that {reason}"
            for (of, reason), count in sorted(self.left_out.items(), key=str) if of == day)

    def _of_line(self, cells: list[str], names: list[str], host: str, where: str) -> Iterator[dict[str, Any]]:
        day = None
        try:
            if len(cells) != len(names):
                raise _NoReading("had another number of fields than the header")
            values = {name: cell.strip() for name, cell in zip(names, cells, strict=True)}
            at = self._instant(values["timestamp"])
            day = at.date()
            if not _UUID.fullmatch(values["uuid"]):
                raise _NoReading("named no board")
            quantity, value = _reading(values)
        except _NoReading as none:
            self.left_out[day, str(none)] += 1
            return
        yield {
            "quantity": quantity, "uuid": values["uuid"], "gpu_model": values.get("name", "")[:100] or None,
            "hostname": host or None, "pod": self.holders.get(host), "sampled_at_utc": at, "value": value,
            "place": where,
        }

    def _instant(self, text: str) -> datetime:
        found = _AT.fullmatch(text)
        if not found:
            raise _NoReading("had no timestamp such as 2026/08/24 12:55:01.123")
        minute = "{}-{}-{} {}".format(*found.groups())
        if minute not in self.minutes:
            try:
                self.minutes[minute] = local_instants(datetime.fromisoformat(minute), self.zone)
            except (ValueError, OverflowError):
                self.minutes[minute] = []
        instants = self.minutes[minute]
        if len(instants) != 1:
            raise _NoReading(f"told a time that happens {'twice' if instants else 'never'} in {self.zone}")
        return instants[0].replace(tzinfo=None) + timedelta(microseconds=int(Decimal(found[5]) * 1_000_000))


def header(cells: list[str], where: str) -> list[str]:
    """The names of the columns, without units.

    Raises:
        Unreadable: a name is there twice, one that is needed is missing, or a unit is another one.
    """
    parts = [_NAME.fullmatch(cell.strip()) for cell in cells]
    units = {part["name"]: part["unit"] for part in parts if part}
    names, wrong = [part["name"] if part else "" for part in parts], None
    if missing := [name for name in ("timestamp", "uuid") if name not in names]:
        wrong = f"the column {missing[0]} is not there"
    elif not UNITS.keys() & units.keys():
        wrong = f"it has neither {POWERS[1]} nor {UTILISATION}"
    elif twice := [name for name in names if names.count(name) > 1]:
        wrong = f"the column {twice[0][:40]!r} is there twice"
    elif odd := [name for name, unit in UNITS.items() if units.get(name) not in (None, unit)]:
        wrong = f"{odd[0]} is told in {units[odd[0]][:20]!r}, not in {UNITS[odd[0]]}"
    if wrong:
        raise Unreadable(f"{where}, header", wrong, "log --query-gpu=timestamp,uuid,name,power.draw,utilization.gpu")
    return names


def _reading(values: Mapping[str, str]) -> tuple[str, Decimal]:
    """Power in watts, or where the board tells none its utilisation as a ratio."""
    for name, unit in UNITS.items():
        text = values.get(name, "")
        if _UNTOLD.fullmatch(text):
            continue
        quantity, number = "util_ratio" if name == UTILISATION else "power_w", _NUMBER.fullmatch(text)
        if number and number[2] in (None, unit):
            value = (Decimal(number[1]) * (Decimal("0.01") if name == UTILISATION else 1)).quantize(STEP)
            if value <= LARGEST[quantity]:
                return quantity, value
        raise _NoReading(f"had a {name} that is no reading")
    raise _NoReading("told neither power nor utilisation")
