"""What was sent, line by line in `alerts/sent.jsonl` of JEVONS_HOME, and that only one process sends at a time.

What a line says belongs in `changes`.

A line is written before its message is sent, without its end, and counts only once the end is there. So nothing is sent
that could not be noted, as on a full disk; and what was sent as the machine stopped is sent again, under the same id.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import JevonsError

FOLDER, FILE = "alerts", "sent.jsonl"


class Record:
    """The record of one home."""

    def __init__(self, home: Path):
        self.path = home / FOLDER / FILE

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether nobody else is sending now; until the end, nobody else will. A killed process gives its lock back."""
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = (self.path.parent / "lock").open("a")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def lines(self, channel: str) -> list[dict[str, Any]]:
        """What this channel was told, oldest first."""
        with self._told():
            try:
                whole = self.path.read_bytes()
            except FileNotFoundError:
                return []
            found = [json.loads(line) for line in whole[: whole.rfind(b"\n") + 1].splitlines()]
            return [line for line in found if line["channel"] == channel]

    @contextlib.contextmanager
    def noting(self, line: Mapping[str, Any]) -> Iterator[None]:
        """Notes the line if what is done inside succeeds."""
        with self._told():
            file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            with self._told():
                end = self._end(file)
                os.ftruncate(file, end)  # what a stopped process did not bring to its end
                text = json.dumps(line, sort_keys=True, ensure_ascii=False).encode() + b" "
                last = end + os.pwrite(file, text, end) - 1
                if last - end + 1 < len(text):
                    raise OSError("the line was written in part")
                os.fsync(file)
            try:
                yield
            except Exception:
                os.ftruncate(file, end)
                raise
            with self._told():
                os.pwrite(file, b"\n", last)
                os.fsync(file)
        finally:
            os.close(file)

    @staticmethod
    def _end(file: int) -> int:
        return os.pread(file, os.fstat(file).st_size, 0).rfind(b"\n") + 1

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise JevonsError(
                "The record of alerts cannot be used", str(self.path), error.strerror or str(error),
                "make room, or mend the permissions of that folder; nothing is sent that cannot be noted",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise JevonsError(
                "The record of alerts is damaged", str(self.path), "it holds a line that Jevons did not write",
                "put the file aside: each channel is then told the present state of all ceilings, once",
            ) from error
