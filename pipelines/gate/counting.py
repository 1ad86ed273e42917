"""The calls that the gate has let through and no build has counted yet, by day and perimeter; and those it denied.

What a count means for a ceiling belongs in `deciding`.

Processes of one machine share the counts: eight bytes a day and perimeter, changed under a lock that the system gives
back when a process dies. A build that has counted a day makes that day's counts moot; none is ever reset.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

_MOST_DAYS = 400
_MOST_OPEN = 200


class Counts:
    """The counts under one folder. Every OSError is the caller's: without counts, a limit is not kept."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._thread = threading.Lock()
        self._lock: int | None = None
        self._open: dict[tuple[date, str], int] = {}
        self._past: dict[tuple[date, date, str], int] = {}  # days that are over count no more calls
        self._process = os.getpid()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else on this machine reads or changes a count inside."""
        with self._thread:
            if self._process != os.getpid():  # a fork shares its parent's lock, so that it would exclude nobody
                self._lock, self._open, self._process = None, {}, os.getpid()
            if self._lock is None:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._lock, fcntl.LOCK_UN)

    def since(self, first: date, today: date, perimeter: str) -> int:
        """Calls let through from the first day to today, both included."""
        first = max(first, today - timedelta(days=_MOST_DAYS))
        if first > today:
            return 0
        key = (first, today, perimeter)
        if key not in self._past:
            days = (first + timedelta(days=n) for n in range((today - first).days))
            self._past[key] = sum(self._read(day, perimeter) for day in days)
        return self._past[key] + self._read(today, perimeter)

    def add(self, today: date, perimeters: Iterable[str], calls: int) -> None:
        """Counts calls that are let through now."""
        for perimeter in perimeters:
            file = self._file(today, perimeter, create=True)
            os.pwrite(file, (self._read(today, perimeter) + calls).to_bytes(8, "little"), 0)
        if len(self._open) > _MOST_OPEN:
            for file in self._open.values():
                os.close(file)
            self._open.clear()
            self._past.clear()

    def denied(self, today: date, record: Mapping[str, Any]) -> None:
        """Writes one denied call below those of its day; nothing is ever changed there."""
        folder = self.folder / "denied"
        folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps(record, sort_keys=True, ensure_ascii=False) + "\n"
        file = os.open(folder / f"{today}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)

    def _read(self, day: date, perimeter: str) -> int:
        file = self._file(day, perimeter, create=False)
        return 0 if file is None else int.from_bytes(os.pread(file, 8, 0), "little")

    def _file(self, day: date, perimeter: str, create: bool) -> int | None:
        key = (day, perimeter)
        if key not in self._open:
            path = self.folder / "counts" / day.isoformat() / hashlib.sha256(perimeter.encode()).hexdigest()[:24]
            try:
                self._open[key] = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                if not create:
                    return None
                path.parent.mkdir(parents=True, exist_ok=True)
                self._open[key] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        return self._open[key]
