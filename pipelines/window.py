"""Half-open windows of whole UTC days.

Local calendars do not belong here: they exist only at the edge of a report.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class Window:
    """Whole UTC days from `first` (included) to `end` (excluded)."""

    first: date
    end: date

    def __post_init__(self) -> None:
        if self.end <= self.first:
            raise ValueError(f"an empty window: {self.first} to {self.end}")

    @classmethod
    def of_days(cls, first: date | str, last: date | str) -> "Window":
        """The window that holds `first` and `last`, both included."""
        first = date.fromisoformat(first) if isinstance(first, str) else first
        last = date.fromisoformat(last) if isinstance(last, str) else last
        return cls(first, last + DAY)

    @property
    def start_utc(self) -> datetime:
        """The first instant, timezone-aware."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def end_utc(self) -> datetime:
        """The first instant after the window, timezone-aware."""
        return datetime(self.end.year, self.end.month, self.end.day, tzinfo=UTC)

    @property
    def start_s(self) -> int:
        """The first instant in Unix seconds."""
        return int(self.start_utc.timestamp())

    @property
    def end_s(self) -> int:
        """The first instant after the window in Unix seconds."""
        return int(self.end_utc.timestamp())

    def days(self) -> Iterator[date]:
        """Each day in order."""
        day = self.first
        while day < self.end:
            yield day
            day += DAY

    def chunks(self, days: int) -> Iterator["Window"]:
        """The window cut into pieces of at most `days` days, in order."""
        first = self.first
        while first < self.end:
            end = min(first + days * DAY, self.end)
            yield Window(first, end)
            first = end

    def hours(self) -> Iterator[datetime]:
        """The start of each hour, timezone-aware."""
        at = self.start_utc
        while at < self.end_utc:
            yield at
            at += timedelta(hours=1)

    def __contains__(self, day: date) -> bool:
        return self.first <= day < self.end

    def __str__(self) -> str:
        return f"{self.first} to {self.end - DAY}"
