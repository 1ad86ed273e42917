"""Reads a CSV file of registry entries, records the good rows and says of each bad one why and what to do.

Which entries may be recorded is decided in `book`; what an entry is, in `drafts`.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import Engine

from pipelines.errors import JevonsError
from pipelines.registry import attempts, book
from pipelines.registry.drafts import Draft, Recording, problems
from pipelines.registry.fields import looks_secret, shown
from pipelines.registry.models import KINDS, Kind

BOM = b"\xef\xbb\xbf"
MASK = "sk-(masked)"  # refused again when the quarantined row is imported as it is
REFUSAL = "refusal_reason"  # the column that quarantine adds, and that an import passes over


@dataclass(frozen=True)
class Finding:
    """Why a row, or a whole file, was not recorded.

    Attributes:
        file: Name of the file.
        line: Line on which the row begins, counted from 1; 1 also for what concerns the whole file.
        field: The column at fault; empty for the whole row or file.
        rule: The rule that was broken.
        fix: The way out.
    """

    file: str
    line: int
    field: str
    rule: str
    fix: str

    def sentence(self) -> str:
        """The finding as one sentence."""
        where = ", ".join(part for part in (self.file, f"line {self.line}", self.field) if part)
        return f"{where}: {self.rule}; {self.fix}."


@dataclass
class ImportResult:
    """What became of a file.

    Attributes:
        accepted: Rows recorded as new versions.
        unchanged: Rows that say what already stands.
        refused: All findings, by line; a row may have several.
        refused_rows: The refused rows by line, as read; cells that look like secrets are masked.
        quarantine: Where those were written with their reasons, if anywhere.
    """

    accepted: int = 0
    unchanged: int = 0
    refused: list[Finding] = field(default_factory=list)
    refused_rows: dict[int, dict[str, str]] = field(default_factory=dict)
    quarantine: Path | None = None


@dataclass(frozen=True)
class _Row:
    """One row as read: its cells by column, and what is wrong with it already as (field, rule, fix)."""

    line: int
    cells: dict[str, str]
    problem: tuple[str, str, str] | None = None


class _Unreadable(Exception):
    """The file, or the rest of it, cannot be read."""

    def __init__(self, line: int, rule: str, fix: str, field: str = ""):
        super().__init__(rule)
        self.line, self.problem = line, (field, rule, fix)


def kind_of(path: Path, name: str | None = None) -> Kind:
    """The kind of entries in a file: as named, or as the file name begins (`teams.csv`, `rules-2026.csv`).

    Raises:
        JevonsError: if neither says it.
    """
    for kind in KINDS.values():
        names = {kind.name, kind.table.__tablename__}
        pattern = rf"({'|'.join(sorted(names))})([-_. ]|$)"
        if name in names or (name is None and re.match(pattern, path.name.lower())):
            return kind
    raise JevonsError(
        "The kind of entries is unknown", str(path),
        f"{name or path.name!r} names none of {', '.join(KINDS)}",
        "name the file after its kind, or give --kind",
    )


def import_csv(
    engine: Engine,
    path: Path,
    kind: str | None,
    recorded_by: str,
    reason: str,
    recorded_at: datetime,
    quarantine: Path | None = None,
) -> ImportResult:
    """Records the rows of a CSV file; importing the same file again writes nothing.

    Args:
        kind: One of `KINDS`; None to go by the file's name.
        recorded_by: Who records; also who adopts a ceiling whose row does not say.
        reason: Why; also why a ceiling is adopted whose row does not say.
        recorded_at: Now, with its time zone.
        quarantine: Folder for `<name>.refused.csv`, the refused rows with their reasons; None to write none.

    Raises:
        JevonsError: if there is no such file, its kind is unknown, or the recorder did not say who and why.
    """
    path = Path(path)
    chosen = kind_of(path, kind)
    try:
        recording = Recording(recorded_by=recorded_by, reason=reason, recorded_at_utc=recorded_at, path="import")
    except ValidationError as error:
        name, rule, fix = problems(error)[0]
        raise JevonsError("Nothing was imported", f"{path}, {name}", rule, fix) from error
    cells, drafts, refused = validated(path, chosen)
    result, lines = ImportResult(refused=refused), list(drafts)
    if chosen.name == "ceilings":
        tried = [
            (cells[found.line], (found.field, found.rule, found.fix)) for found in result.refused if found.line in cells
        ]
        attempts.keep(engine, tried, recording)
    outcome = book.record(engine, chosen, list(drafts.values()), recording)
    for refusal in outcome.refused:
        result.refused.append(
            Finding(path.name, lines[refusal.position], refusal.field, refusal.rule, refusal.fix))
    result.accepted, result.unchanged = len(outcome.accepted), len(outcome.unchanged)
    result.refused.sort(key=lambda finding: finding.line)
    result.refused_rows = {
        line: {name: MASK if looks_secret(value) else value for name, value in cells[line].items()}
        for line in sorted({finding.line for finding in result.refused} & set(cells))
    }
    if quarantine is not None and result.refused_rows:
        try:
            result.quarantine = _write_refused(quarantine, path, chosen, result)
        except OSError as error:
            raise JevonsError(
                "The refused rows could not be put aside, the good ones are recorded", str(quarantine),
                (error.strerror or str(error)).lower(), "make room there and import the file again",
            ) from error
    return result


def validated(path: Path, kind: Kind) -> tuple[dict[int, dict[str, str]], dict[int, Draft], list[Finding]]:
    """What a file asks to record, by line: the cells as read, the entries that each row makes, and what is refused.

    Raises:
        JevonsError: if there is no such file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise JevonsError(
            "The file cannot be read", str(path), (error.strerror or str(error)).lower(), "correct the path"
        ) from error
    cells: dict[int, dict[str, str]] = {}
    drafts: dict[int, Draft] = {}
    refused: list[Finding] = []
    try:
        for row in _rows(content, kind):
            cells[row.line] = row.cells
            if row.problem:
                refused.append(Finding(path.name, row.line, *row.problem))
                continue
            try:
                drafts[row.line] = kind.draft(**{name: value for name, value in row.cells.items() if value})
            except ValidationError as error:
                refused += [Finding(path.name, row.line, *problem) for problem in problems(error)]
    except _Unreadable as unreadable:
        refused.append(Finding(path.name, unreadable.line, *unreadable.problem))
    return cells, drafts, refused


def _rows(content: bytes, kind: Kind) -> Iterator[_Row]:
    """The rows of a file in order, with all columns of the kind, cells stripped."""
    if content.startswith(BOM):
        raise _Unreadable(1, "the file begins with a byte order mark", "save it as UTF-8 without BOM")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Unreadable(line, "the file is not UTF-8", "save it as UTF-8") from error
    if not text.strip():
        raise _Unreadable(1, "the file is empty", f"begin it with the header {','.join(kind.required)}")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for raw in reader:
            start, line = line, reader.line_num + 1
            cells = [cell.strip() for cell in raw]
            if not any(cells):
                continue
            if not header:
                header = _checked(cells, start, kind)
                continue
            row = dict(zip(header, cells, strict=False))
            row = {column: row.get(column, "") for column in kind.columns}
            problem = None
            if len(cells) != len(header):
                problem = (
                    "", f"it has {len(cells)} cells where the header has {len(header)}",
                    "add what is missing, and put cells that hold a comma in double quotes",
                )
            yield _Row(start, row, problem)
    except csv.Error as error:
        raise _Unreadable(
            line, f"the file cannot be read from here on ({error})", "mend the quotes and import it again"
        ) from error


def _checked(header: list[str], line: int, kind: Kind) -> list[str]:
    """The header, if it has each column that is needed, once, and none that means nothing."""
    if len(header) == 1 and ";" in header[0]:
        raise _Unreadable(line, "the cells are separated by semicolons", "save it with commas")
    for column in header:
        if column not in (*kind.columns, REFUSAL):
            raise _Unreadable(
                line, f"the column {shown(column)} means nothing among {kind.name}",
                f"remove it, or use one of {', '.join(kind.columns)}",
            )
        if header.count(column) > 1:
            raise _Unreadable(line, "the column is there twice", "remove one of them", column)
    for column in kind.required:
        if column not in header:
            raise _Unreadable(line, "the column is missing", "add it to the header and to each row", column)
    return header


def _write_refused(folder: Path, path: Path, kind: Kind, result: ImportResult) -> Path:
    """Writes the refused rows with their reasons, in place of those of an earlier import of that name."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.name.removesuffix('.csv').removesuffix('.refused')}.refused.csv"
    whole = target.with_suffix(".part")
    with whole.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*kind.columns, REFUSAL])
        writer.writeheader()
        for line, cells in result.refused_rows.items():
            reasons = [finding.sentence() for finding in result.refused if finding.line == line]
            writer.writerow({**cells, REFUSAL: " ".join(reasons)})
    whole.replace(target)
    return target
