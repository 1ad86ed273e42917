"""One row of outcomes as a record, or the reason why it is none; the same for files, databases, Prometheus and pages.

Where rows come from belongs to the modules that ask, which days they make to `outcomes`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pipelines.userfiles import Refusals, Row
from pipelines.window import Window

COLUMN_NAMES = ("usage_date", "workflow_id", "outcome_type", "outcome_count", "accepted_count")
LARGEST_COUNT = 10**18 - 1  # what the ledger's DECIMAL(18,0) holds
LONGEST_NAME = 200
MEND = "correct it and land the day again"

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_EMAIL = re.compile(r"\S@\S")


class Wrong(Exception):
    """A value that its column does not take, with the rule that it breaks."""


@dataclass
class Contract:
    """Which of the input's columns is which of ours, and which rows may pass; `section` is that of `jevons.toml`."""

    theirs: Mapping[str, str]
    ignored: frozenset[str]
    section: str
    refusals: Refusals = field(default_factory=Refusals)
    shapes: dict[tuple[str, ...], list[tuple[str, str, str]]] = field(default_factory=dict)

    def row(self, row: Row, window: Window, file_day: date | None, bounded: bool) -> dict[str, Any] | None:
        """The typed record, or None: either it belongs to another day, or it was refused and its day is held back.

        Args:
            bounded: True where only days of the window were asked for, so that another day is a mistake.
        """
        day = file_day
        try:
            day = _day(row.values.get(self.theirs["usage_date"]))
        except Wrong as wrong:
            if self.theirs["usage_date"] in row.values and not row.problem:
                self._refuse(row, "usage_date", str(wrong), day)
                return None
        if day and (day != file_day if file_day else day not in window):
            if file_day or bounded:
                asked = f"the file of {file_day}" if file_day else "an answer that was asked for other days"
                self._refuse(row, "usage_date", f"{day} is in {asked}", file_day)
            return None
        if row.problem:
            self.refusals.add(row.where, row.problem, MEND, day)
            return None
        misshapen = self._shape(row.values)
        for name, rule, fix in misshapen:
            self.refusals.add(f"{row.where.rpartition(', ')[0]}, field {name}", rule, fix, day)
        return None if misshapen else self._typed(row, day)

    def _typed(self, row: Row, day: date) -> dict[str, Any] | None:
        record: dict[str, Any] = {"usage_date": day, "place": row.where}
        refused = False
        for name, kind in (
            ("workflow_id", _name), ("outcome_type", _name), ("outcome_count", whole), ("accepted_count", whole),
        ):
            try:
                record[name] = kind(row.values.get(self.theirs[name]), name == "accepted_count")
            except Wrong as wrong:
                self._refuse(row, name, str(wrong), day)
                refused = True
        if not refused and record["accepted_count"] is not None and record["accepted_count"] > record["outcome_count"]:
            rule = f"{record['accepted_count']} accepted of {record['outcome_count']} outcomes cannot be"
            self._refuse(row, "accepted_count", rule, day)
            refused = True
        return None if refused else record

    def _refuse(self, row: Row, name: str, rule: str, day: date | None) -> None:
        self.refusals.add(f"{row.where}, field {self.theirs[name]}", rule, MEND, day)

    def _shape(self, values: Mapping[str, Any]) -> list[tuple[str, str, str]]:
        """What is wrong with the columns themselves: too many, so that no personal field slips in, or too few."""
        names = tuple(values)
        if names not in self.shapes:
            known = set(self.theirs.values())
            self.shapes[names] = [
                (name, "this column is not known, and unknown columns may hold personal data",
                 f"drop it from the file or list it in ignore_columns of [{self.section}]")
                for name in sorted(set(names) - known - self.ignored)
            ] + [
                (self.theirs[ours], "this column is not there", f"add it, or name it in [{self.section}.columns]")
                for ours in sorted(set(self.theirs) - {"accepted_count"}) if self.theirs[ours] not in names
            ]
        return self.shapes[names]


def shown(value: Any) -> str:
    """A value within a sentence: its beginning, and nothing of an e-mail address."""
    return "a value with an e-mail address" if _EMAIL.search(str(value)) else repr(str(value))[:42]


def _day(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise Wrong("it is empty" if value in (None, "") else f"{shown(value)} is not a day (YYYY-MM-DD)")


def _name(value: Any, optional: bool) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Wrong("it is empty" if value in (None, "") or isinstance(value, str) else f"{shown(value)} is not text")
    text = value.strip()
    if _EMAIL.search(text):
        raise Wrong("it holds an e-mail address, and no people are kept")
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise Wrong(f"{shown(text)} is not one line of at most {LONGEST_NAME} characters")
    return text


def whole(value: Any, optional: bool) -> int | None:
    """The whole number that a value is, from 0 on; None where an optional one is empty.

    Raises:
        Wrong: it is none.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        if optional:
            return None
        raise Wrong("it is empty")
    count = value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        count = int(value)
    elif isinstance(value, Decimal | float) and value == value and abs(value) <= LARGEST_COUNT and value == int(value):
        count = int(value)
    if not isinstance(count, int) or isinstance(count, bool):
        raise Wrong(f"{shown(value)} is not a whole number")
    if not 0 <= count <= LARGEST_COUNT:
        raise Wrong(f"{count} is {'negative' if count < 0 else 'too large'}")
    return count
