"""Lines that are on the disk before they are acknowledged, in files that are seen whole or not at all.

A file grows under a hidden name, which no pattern of a source matches, and is renamed when it is closed. After a crash
the next start closes what was left. What a line holds does not belong here.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from fnmatch import fnmatch
from pathlib import Path
from uuid import uuid4

from pipelines.errors import JevonsError

DAY = "{date}"
PART, LOCK = ".part", ".receiving"
CLOSE_AFTER_SECONDS, CLOSE_AFTER_BYTES = 60.0, 64 << 20


class Journal:
    """The one writer of a folder.

    Args:
        home: JEVONS_HOME.
        pattern: `path` of the source, relative to it.
        now: The clock, in UTC.

    Raises:
        JevonsError: no file that is written here would match the pattern, or another receiver writes here.
    """

    def __init__(self, home: Path, pattern: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        self._home, self._pattern, self._now = home, Path(pattern), now
        self._mutex = threading.Lock()
        self._file: int | None = None
        self._path, self._final, self._day = Path(), Path(), date.min
        self._bytes, self._opened = 0, 0.0
        folder = str(self._pattern.parent)
        tried = date(2026, 1, 1)
        if any(sign in folder for sign in "*?[") or not fnmatch(self._name(tried), self._last(tried)):
            raise JevonsError(
                "Nothing can be received", f"jevons.toml, sources.otel.path = {pattern!r}",
                "a file of this receiver would not match it", 'write path = "inbox/otlp/{date}/*.jsonl*"',
            )
        self._base = home / folder.partition(DAY)[0].rpartition("/")[0] if DAY in folder else home / folder
        self._base.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._base / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise JevonsError(
                "Nothing can be received", str(self._base), "another receiver writes into this folder",
                "stop it, or give one of the two a home of its own",
            ) from error
        for left in sorted(self._base.rglob(f".*{PART}")):
            _finish(left)

    @property
    def folder(self) -> Path:
        """The folder that is locked, above those of days."""
        return self._base

    def append(self, line: bytes) -> None:
        """Writes one line; it is on the disk when this returns.

        Raises:
            OSError: it is not, and nothing of it is left; lines before it stay.
        """
        with self._mutex:
            self._close_if_due()
            if self._file is None:
                self._open()
            try:
                _write(self._file, line + b"\n")
                os.fsync(self._file)
            except OSError:
                with suppress(OSError):
                    os.ftruncate(self._file, self._bytes)
                self._close()
                raise
            self._bytes += len(line) + 1

    def close_if_due(self) -> None:
        """Closes the file if it is old or large enough, or of yesterday."""
        with self._mutex:
            self._close_if_due()

    def close(self) -> None:
        """Closes the file, so that it is seen, and lets others write here."""
        with self._mutex:
            self._close()
            os.close(self._lock)

    def _close_if_due(self) -> None:
        if self._file is not None and (
            self._bytes >= CLOSE_AFTER_BYTES or time.monotonic() - self._opened >= CLOSE_AFTER_SECONDS
            or self._now().date() != self._day
        ):
            self._close()

    def _open(self) -> None:
        self._day = self._now().date()
        folder = self._home / str(self._pattern.parent).replace(DAY, self._day.isoformat())
        folder.mkdir(parents=True, exist_ok=True)
        self._final = folder / self._name(self._day)
        self._path = folder / f".{self._final.name}{PART}"
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._bytes, self._opened = 0, time.monotonic()
        for made in (folder, *folder.parents):
            sync(made)
            if made == self._home:
                break

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None
            _finish(self._path)

    def _name(self, day: date) -> str:
        return f"{day.isoformat()}-{self._now():%H%M%S}-{uuid4().hex[:8]}.jsonl"

    def _last(self, day: date) -> str:
        return self._pattern.name.replace(DAY, day.isoformat())


def _finish(part: Path) -> None:
    """Gives a file its name, without a line that was not written to its end: nobody was told that it is there."""
    with part.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        whole = size
        while whole:  # back to the last line end
            step = min(whole, 1 << 16)
            file.seek(whole - step)
            found = file.read(step).rfind(b"\n")
            if found >= 0:
                whole += found + 1 - step
                break
            whole -= step
        if whole < size:
            file.truncate(whole)
        os.fsync(file.fileno())
    if whole:
        os.rename(part, part.with_name(part.name.removeprefix(".").removesuffix(PART)))
    else:
        part.unlink()
    sync(part.parent)


def _write(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest):]


def sync(folder: Path) -> None:
    """Makes what was named in a folder last."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
