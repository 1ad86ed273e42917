"""One row of a meter file as a reading, or the reason why it is none.

Which files are read and what a day's file holds belongs to `meters`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from typing import Any

from pipelines.userfiles import File, Refusals, Row

KINDS, BOUNDARIES = ("site", "pdu", "host"), ("it", "facility")
LARGEST = {"energy_kwh": Decimal(10**9), "power_w": Decimal(10**9)}
STEPS = {"energy_kwh": Decimal("0.000001"), "power_w": Decimal("0.001")}
MEND = "correct it and land the day again"


class Wrong(Exception):
    """A value that its column does not take, with the rule that it breaks."""


@dataclass
class Reader:
    """Turns a file's rows into readings and holds back the days of those that are none.

    Attributes:
        site: The site of meters that name none; where all meters of hosts stand.
        sites: Every site that is declared.
        fixed: Values of all rows, where the file has no such column.
        hosts: The machine behind each meter, where the file does not tell it.
        parts: Columns that name a meter together, such as a strip and its outlet; empty where one does.
    """

    site: str
    sites: frozenset[str]
    theirs: Mapping[str, str]
    ignored: frozenset[str]
    fixed: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    refusals: Refusals = field(default_factory=Refusals)
    shapes: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def reading(self, row: Row, file: File) -> dict[str, Any] | None:
        """The typed reading, or None where the row was refused."""
        problems, at = [], None
        if row.problem:
            problems.append(row.problem)
        else:
            problems += self._shape(row.values)
            try:
                at = _instant(row.values.get(self.theirs["sampled_at_utc"]))
            except Wrong as wrong:
                problems.append(f"{self.theirs['sampled_at_utc']}: {wrong}")
        day = at.date() if at else file.day
        if at and file.day and day != file.day:
            problems.append(f"a reading of {day} is in the file of {file.day}")
            day = file.day
        record: dict[str, Any] = {"sampled_at_utc": at and at.replace(tzinfo=None), "place": row.where}
        if not problems:
            for name, kind in _KINDS_OF.items():
                try:
                    record[name] = kind(self._given(name, row.values, record))
                except Wrong as wrong:
                    problems.append(f"{self.theirs[name]}: {wrong}")
        if not problems:
            problems += self._rules(record)
        for problem in problems:
            self.refusals.add(row.where, problem, MEND, day)
        return None if problems else record

    def _given(self, name: str, values: Mapping[str, Any], record: Mapping[str, Any]) -> Any:
        if name == "meter_id" and self.parts:
            return "/".join(_name(values.get(part)) for part in self.parts)
        if name == "host" and not values.get(self.theirs[name]):
            return self.hosts.get(record.get("meter_id", ""))
        return values.get(self.theirs[name], self.fixed.get(name))

    def _shape(self, values: Mapping[str, Any]) -> list[str]:
        names = tuple(values)
        if names not in self.shapes:
            known = {*self.theirs.values(), *self.parts} | self.ignored
            needed = [*self.parts, *(self.theirs[ours] for ours in REQUIRED if ours not in self.fixed
                                     and not (ours == "meter_id" and self.parts))]
            self.shapes[names] = [
                f"the column {name} is not known; drop it or list it in ignore_columns"
                for name in sorted(set(names) - known)
            ] + [f"the column {name} is not there" for name in needed if name not in names]
        return self.shapes[names]

    def _rules(self, record: dict[str, Any]) -> Iterator[str]:
        record["site"] = record["site"] or self.site
        if record["site"] not in self.sites:
            yield f"no [sites.{record['site']}] is declared"
        if record["energy_kwh"] is None and record["power_w"] is None:
            yield "it has neither energy_kwh nor power_w"
        if record["meter_kind"] == "site" and record["host"]:
            yield "a meter of a whole site names a host"
        if record["meter_kind"] == "host" and not record["host"]:
            yield "a meter of a host names none"
        if record["host"] and record["boundary"] != "it":
            yield "a host's meter cannot hold the facility; its boundary is it"
        if record["host"] and record["site"] != self.site:
            yield f"it stands in {record['site']}, but the hosts of [sources.meters] in {self.site}"


def _instant(value: Any) -> datetime:
    if isinstance(value, str) and value.strip():
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise Wrong(f"{value.strip()[:40]!r} is no instant such as 2026-06-01T10:00:00Z") from None
    if not isinstance(value, datetime):
        raise Wrong("it is empty" if value in (None, "") else f"{str(value)[:40]!r} is no instant")
    if value.tzinfo is None:
        raise Wrong(f"{value.isoformat()} has no time zone; write Z for UTC")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise Wrong("it is outside the calendar") from None


def _text(value: Any) -> str | None:
    if value is not None and (not isinstance(value, str) or len(value) > 200 or not value.isprintable()):
        raise Wrong("it is not one line of at most 200 characters")
    return (value or "").strip() or None


def _name(value: Any) -> str:
    text = _text(value)
    if text is None:
        raise Wrong("it is empty")
    return text


def _one_of(allowed: tuple[str, ...]) -> Any:
    def kind(value: Any) -> str:
        text = _name(value)
        if text not in allowed:
            raise Wrong(f"{text[:40]!r} is not {' or '.join(allowed)}")
        return text

    return kind


def _number(name: str) -> Any:
    def kind(value: Any) -> Decimal | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        try:
            number = Decimal("NaN") if isinstance(value, bool) else Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or not 0 <= number <= LARGEST[name]:
            raise Wrong(f"{str(value)[:40]!r} is not a number from 0 to {LARGEST[name]}")
        return number.quantize(STEPS[name], rounding=ROUND_HALF_EVEN)

    return kind


_KINDS_OF = {
    "meter_id": _name, "site": _text, "host": _text, "meter_kind": _one_of(KINDS), "boundary": _one_of(BOUNDARIES),
    "energy_kwh": _number("energy_kwh"), "power_w": _number("power_w"),
}
READING = ("meter_id", "site", "host", "meter_kind", "boundary", "sampled_at_utc", "energy_kwh", "power_w")
REQUIRED = ("meter_id", "meter_kind", "boundary", "sampled_at_utc")
