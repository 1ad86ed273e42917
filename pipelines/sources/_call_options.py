"""What `[sources.call_log]` may say, checked before any file is opened.

What the settings do to a file lies in `_call_reading`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.errors import SettingError, SourceError
from pipelines.source import Column
from pipelines.sources._files import DAY, FORMATS
from pipelines.sources._strict import UNITS

LONGEST_SPILL_DAYS = 3
KEYS = {
    "enabled", "path", "format", "delimiter", "columns", "defaults", "values", "ignore_columns", "timestamp_unit",
    "naive_timestamps_are", "input_includes_cached", "spill_days",
}


@dataclass(frozen=True)
class Options:
    """The section, checked.

    Attributes:
        columns: Our name to the file's; "" where the file has no such column. An absent name means its own name,
            where the file has it.
        defaults: Our name to the value that stands where the file has none.
        values: Our name to a table of the file's words and ours.
        derived_ids: Ids are made of file name and line number, because the log has none.
    """

    path: str
    format: str | None
    delimiter: str
    columns: Mapping[str, str]
    defaults: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    ignored: frozenset[str]
    unit: str | None
    naive_utc: bool
    input_includes_cached: bool
    spill_days: int

    @property
    def dated(self) -> bool:
        """Whether the path names the day."""
        return DAY in self.path

    @property
    def derived_ids(self) -> bool:
        """Whether ids are made of file name and line number."""
        return self.columns.get("request_id") == ""


def read_options(table: Mapping[str, Any], ours: Sequence[Column]) -> Options:
    """The section as options.

    Raises:
        SourceError: naming the key, what it says and what it may say.
    """
    settable = {column.name for column in ours} - {"input_includes_cached"}
    words = {column.name for column in ours if column.type == "VARCHAR"} - {"request_id"}
    for key in sorted(set(table) - KEYS):
        raise _wrong(key, table[key], f"use one of {', '.join(sorted(KEYS))}")
    if not isinstance(table.get("path"), str) or not table["path"]:
        raise _wrong("path", table.get("path"), 'name the files, as in path = "inbox/calls/{date}*.csv"')
    values = _table(table, "values", words, dict)
    for name, pairs in values.items():
        if not all(isinstance(word, str) for word in pairs.values()):
            raise _wrong(f"values.{name}", pairs, "give text for each of the file's words")
    ignored = table.get("ignore_columns", [])
    if not isinstance(ignored, list) or not all(isinstance(name, str) for name in ignored):
        raise _wrong("ignore_columns", ignored, 'give a list of names, as in ["comment"]')
    delimiter = table.get("delimiter", ",")
    if not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in "\r\n\"\0\x01" or not delimiter.isascii():
        raise _wrong("delimiter", delimiter, 'give one character, as in ";"')
    spill = table.get("spill_days", 0)
    if type(spill) is not int or not 0 <= spill <= LONGEST_SPILL_DAYS or (spill and DAY not in table["path"]):
        raise _wrong("spill_days", spill, f"give 0 to {LONGEST_SPILL_DAYS}, and more than 0 only with {{date}} in path")
    includes = table.get("input_includes_cached", True)
    if not isinstance(includes, bool):
        raise _wrong("input_includes_cached", includes, "give true or false")
    return Options(
        table["path"], _one_of(table, "format", sorted(set(FORMATS.values()))), delimiter,
        _table(table, "columns", settable, str), _table(table, "defaults", settable - {"request_id"}, str), values,
        frozenset(ignored), _one_of(table, "timestamp_unit", sorted(UNITS)),
        _one_of(table, "naive_timestamps_are", ["UTC"]) == "UTC", includes, spill,
    )


def _table(table: Mapping[str, Any], key: str, names: set[str], kind: type) -> dict[str, Any]:
    given = table.get(key, {})
    if not isinstance(given, Mapping):
        raise _wrong(key, given, f"write a table [sources.call_log.{key}]")
    for name, value in given.items():
        if name not in names:
            raise _wrong(f"{key}.{name}", value, f"the names are {', '.join(sorted(names))}")
        if not isinstance(value, kind):
            raise _wrong(f"{key}.{name}", value, "give text in quotes" if kind is str else "write a table of words")
    return dict(given)


def _one_of(table: Mapping[str, Any], key: str, allowed: Sequence[str]) -> str | None:
    value = table.get(key)
    if value is not None and value not in allowed:
        raise _wrong(key, value, f"give {' or '.join(repr(word) for word in allowed)}")
    return value


def _wrong(key: str, value: Any, fix: str) -> SourceError:
    return SettingError("call_log", key, f"it is {value!r:.60}", fix)
