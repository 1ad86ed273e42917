"""What counters grew by on one day, out of points that may come in any order, twice, with gaps, and after a restart.

What a counter counts is said in `_otlp_metric_words`; which files points are from does not matter here.

A delta point is its own growth. A cumulative one has grown since the latest point before it of the same series and the
same start; by all of its value where there is none, or where it fell, because it began anew. Growth counts at the end
of its time, which is when it is known: it is not split over the hours that it may be from.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple

from pipelines.sources._otlp_metrics import Point

REACH_DAYS = 7
"""How far back an earlier point of a series is looked for, and a start is believed."""
HOUR_NS = 3600 * 10**9


class Value(NamedTuple):
    """What a point tells: its total, and its number of recordings."""

    total: Decimal
    count: int


class Series(NamedTuple):
    """Points that count on from each other."""

    stream: bytes
    start_ns: int
    cumulative: bool


@dataclass(frozen=True, slots=True)
class Growth:
    """What a series grew by until a point of the day.

    Attributes:
        point: A point of the series.
        since_ns: From when on it grew; 0 where that is not told.
        ended_ns: The time of the later point.
        value: By how much.
    """

    point: Point
    since_ns: int
    ended_ns: int
    value: Value


@dataclass
class Counters:
    """The points that matter for a day.

    Attributes:
        day: The day.
        known_since: The first day of which points could have been found, had there been any.
        repeated: Points that came more than once.
        unknown: Counters that began before that day, with nothing to tell what they had counted already.
    """

    day: date
    known_since: date = date.min
    repeated: int = 0
    unknown: int = 0
    _points: dict[Series, dict[int, Value]] = field(default_factory=dict)
    _before: dict[Series, tuple[int, Value]] = field(default_factory=dict)
    _one: dict[bytes, Point] = field(default_factory=dict)
    _heard: dict[tuple[bytes, int], int] = field(default_factory=dict)

    def add(self, point: Point, day: date) -> bool:
        """Takes a point of this day or of one before; False if another point of the series tells otherwise."""
        series = Series(point.stream, point.start_ns, point.cumulative)
        value = Value(Decimal(0) if point.total is None else point.total, point.count or 0)
        writer = point.writer, point.start_ns
        self._heard[writer] = min(self._heard.get(writer, point.time_ns), point.time_ns)
        if day == self.day:
            self._one.setdefault(point.stream, point)
            times = self._points.setdefault(series, {})
            self.repeated += point.time_ns in times
            return times.setdefault(point.time_ns, value) == value
        if point.cumulative:
            self._before[series] = max(self._before.get(series, (0, value)), (point.time_ns, value))
        return True

    def open_before(self, day: date) -> bool:
        """Whether the latest earlier point of a series may be one of before this day, none of which were looked at."""
        limit = nanoseconds(day)
        return any(series.cumulative and series.start_ns < limit
                   and (series not in self._before or self._before[series][0] <= limit) for series in self._points)

    def grown(self) -> Iterator[Growth]:
        """What every series grew by; a series that did not grow is told as well."""
        self.unknown = 0
        for series, times in self._points.items():
            before = self._before.get(series)
            for ended in sorted(times):
                value, since = times[ended], series.start_ns
                if series.cumulative:
                    if before is None and not self._began_in_reach(series, ended):
                        self.unknown += 1
                        value = Value(Decimal(0), 0)
                    elif before is not None:
                        since, value = before[0], _difference(before[1], value)
                    before = ended, times[ended]
                yield Growth(self._one[series.stream], since, ended, value)

    def _began_in_reach(self, series: Series, ended: int) -> bool:
        """Whether everything that the first point tells is new: nobody can have counted a part of it before."""
        if series.start_ns >= nanoseconds(self.known_since):
            return True
        # whoever counts on tells all of its series each time: one that was not there the last time began since
        return self._heard[self._one[series.stream].writer, series.start_ns] < ended


def nanoseconds(day: date) -> int:
    """When a UTC day begins, in nanoseconds since 1970."""
    return int(datetime.combine(day, time(), UTC).timestamp()) * 10**9


def hour_of(ended_ns: int) -> datetime:
    """The UTC hour that ends with a point: one at ten sharp tells of the hour before."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(hours=(ended_ns - 1) // HOUR_NS)


def _difference(before: Value, now: Value) -> Value:
    if now.total < before.total or now.count < before.count:
        return now  # it began anew and did not say so
    return Value(now.total - before.total, now.count - before.count)
