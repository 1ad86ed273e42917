"""Finds and opens large files that an organisation drops under JEVONS_HOME: CSV, JSON lines, Parquet, packed or not.

How their records are scanned lies in `_scans`; what a field means is decided by the source.
"""

import csv
import glob
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from pipelines import engine
from pipelines.errors import SourceError

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
PACKED = {".gz": "gzip", ".zst": "zstd"}
LONGEST_HEADER_BYTES = 1 << 20
SHOWN_NAMES = 5
DAY = "{date}"
SEND_AGAIN = "deliver the file again and land the day again"

_WHOLE = re.compile(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?")
_TEXT = re.compile(r"VARCHAR|JSON|UUID|BOOLEAN|DATE|FLOAT|DOUBLE|ENUM\(.*|DECIMAL\(.*|TIMESTAMP(_S|_MS|_NS)?")


@dataclass(frozen=True)
class Given:
    """A file as it was found.

    Attributes:
        shown: Its path relative to JEVONS_HOME, for messages, receipts and derived ids.
        format: csv, jsonl or parquet.
        packed: gzip, zstd or none.
        day: The day in its path, where the pattern has one.
        size_bytes: Its size when it was found; with `changed_ns` it tells whether someone wrote to it meanwhile.
    """

    path: Path
    shown: str
    format: str
    packed: str
    day: date | None
    size_bytes: int
    changed_ns: int

    def still(self) -> bool:
        """Whether the file is the one that was found."""
        try:
            now = self.path.stat()
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.size_bytes, self.changed_ns)


def matching(home: Path, pattern: str, day: date | None = None, format: str | None = None) -> list[Given]:
    """The files of a pattern relative to `home`, in a fixed order.

    Raises:
        SourceError: the pattern, or a file that it finds, leads outside `home`, or the format cannot be told.
    """
    if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
        raise SourceError(
            "The files were not read", f"path = {pattern!r}", "it leads outside JEVONS_HOME",
            "put the files under JEVONS_HOME and give the path relative to it",
        )
    if re.search(r"[{}]", pattern.replace(DAY, "")):
        raise SourceError(
            "The files were not read", f"path = {pattern!r}", "{date} is the only placeholder there is",
            "write {date} where the day (YYYY-MM-DD) stands, and * for what varies",
        )
    named = pattern.replace(DAY, day.isoformat()) if day else pattern
    inside = home.resolve()
    found = []
    for shown in sorted(glob.glob(named, root_dir=home, recursive=True)):
        path = home / shown
        if not path.resolve().is_relative_to(inside):
            raise SourceError(
                "A file was not read", shown, "it is a link that leads outside JEVONS_HOME",
                "put the file itself there, or mount its folder under JEVONS_HOME",
            )
        if path.is_file():
            about = path.stat()
            found.append(Given(
                path, shown, *_kind(shown, format), day, about.st_size, about.st_mtime_ns
            ))
    return found


def columns(duck: duckdb.DuckDBPyConnection, file: Given, delimiter: str = ",") -> dict[str, str]:
    """The file's column names, in order, with `text`, `whole` or `instant`; empty for JSON lines, which have no header.

    Raises:
        SourceError: there is no readable header, a name is there twice, or a column holds something nested.
    """
    if file.format == "jsonl":
        return {}
    if file.format == "parquet":
        return _parquet_columns(duck, file)
    line = _first_line(file)
    try:
        names = next(csv.reader(io.StringIO(line), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise refused(f"{file.shown}, header", f"it is no CSV header ({error})", SEND_AGAIN) from error
    _once(file, names)
    return dict.fromkeys(names, "text")


def whole(file: Given) -> None:
    """Unpacks a compressed file to its end and forgets it, because DuckDB takes some truncated files for whole ones.

    Raises:
        SourceError: the file is cut off or damaged.
    """
    if file.packed == "none":
        return
    try:
        with pa.input_stream(str(file.path), compression=file.packed) as stream:
            while stream.read(1 << 20):
                pass
    except OSError as error:
        why = "it is cut off" if "Truncated" in str(error) else "it is damaged"
        raise refused(file.shown, f"{why}, the {file.packed} stream does not unpack to its end", SEND_AGAIN) from error
    if file.size_bytes == 0:
        raise refused(file.shown, "it is empty, not even a packed file", SEND_AGAIN)


def mixed_line_ends(file: Given) -> bool:
    """Whether lines end with CR LF in some places and with LF in others."""
    plain = paired = 0
    with pa.input_stream(str(file.path), compression=None if file.packed == "none" else file.packed) as stream:
        last = b""
        while block := stream.read(1 << 20):
            joined = last[-1:] + block
            paired += joined.count(b"\r\n")
            plain += block.count(b"\n")
            last = block
            if 0 < paired < plain:
                return True
    return False


def refused(where: str, why: str, fix: str) -> SourceError:
    """The refusal of one file or line."""
    return SourceError("The file was refused", where, why, fix)


def _kind(shown: str, format: str | None) -> tuple[str, str]:
    path = Path(shown.lower())
    packed = PACKED.get(path.suffix, "none")
    inner = path.with_suffix("") if packed != "none" else path
    format = format or FORMATS.get(inner.suffix)
    if format not in FORMATS.values():
        raise SourceError(
            "A file was not read", shown, "its ending names no format",
            'set format = "csv", "jsonl" or "parquet", or name only such files in path',
        )
    return format, packed


def _first_line(file: Given) -> str:
    if file.size_bytes == 0:
        raise refused(file.shown, "it is empty, without even a header", SEND_AGAIN)
    try:
        with pa.input_stream(str(file.path), compression=None if file.packed == "none" else file.packed) as stream:
            start = stream.read(LONGEST_HEADER_BYTES)
    except OSError as error:
        raise refused(file.shown, f"it is damaged, the {file.packed} stream does not unpack", SEND_AGAIN) from error
    line = re.split(rb"\r\n|\n|\r", start, maxsplit=1)[0]
    if line.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise refused(file.shown, "it is UTF-16, not UTF-8 text", "save it as UTF-8")
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused(f"{file.shown}, header", "it is not UTF-8 text", "save it as UTF-8") from error
    if "\0" in text:
        raise refused(f"{file.shown}, header", "it holds a NUL byte", SEND_AGAIN)
    if not text.strip() or len(line) >= LONGEST_HEADER_BYTES:
        raise refused(file.shown, "its first line is no header", "write the column names in the first line")
    return text


def _parquet_columns(duck: duckdb.DuckDBPyConnection, file: Given) -> dict[str, str]:
    try:
        about = duck.execute(f"describe select * from read_parquet({engine.text(file.path)})").fetchall()
    except duckdb.Error as error:
        raise refused(file.shown, "it is no whole Parquet file", SEND_AGAIN) from error
    _once(file, [row[0] for row in about])
    kinds = {}
    for name, kind, *_ in about:
        if _WHOLE.fullmatch(kind):
            kinds[name] = "whole"
        elif kind == "TIMESTAMP WITH TIME ZONE":
            kinds[name] = "instant"
        else:
            kinds[name] = "text" if _TEXT.fullmatch(kind) else "nested"
    return kinds


def _once(file: Given, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise refused(f"{file.shown}, header", f"the column {name[:40]!r} is there twice", "rename or drop one")
        seen.add(name)


def days_in(shown: str) -> set[date]:
    """Every day (YYYY-MM-DD) that a path names."""
    found = set()
    for text in re.findall(r"(?=([0-9]{4}-[0-9]{2}-[0-9]{2}))", shown):
        try:
            found.add(date.fromisoformat(text))
        except ValueError:
            continue
    return found
