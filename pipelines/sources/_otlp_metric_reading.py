"""Reads files of OTLP/JSON metrics into the counters of some days, and says what is wrong with the files.

What a payload may hold is said in `_otlp_metrics`, what becomes of points in `_otlp_counters`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from pipelines.errors import SourceError
from pipelines.sources import _files
from pipelines.sources._files import Given
from pipelines.sources._otlp_counters import HOUR_NS, REACH_DAYS, Counters, Growth
from pipelines.sources._otlp_metric_words import MetricWords
from pipelines.sources._otlp_metrics import Point, judge
from pipelines.sources._otlp_parts import Refusal, day_of
from pipelines.sources._otlp_reading import MEND, RESTATED_DAYS, payloads
from pipelines.sources._otlp_usage import unheard
from pipelines.units import noun
from pipelines.userfiles import Refusals
from pipelines.window import DAY, Window

REACH = timedelta(days=REACH_DAYS)


@dataclass
class Reading:
    """One reading of files for some days.

    Attributes:
        counters: By day.
        spill_days: How far from the day in its path a file's points may be.
        files: Those that were read for the days themselves.
        refusals: What is wrong; it holds back every day that counts on from it.
        late: How many points are far from their file's day, by that day and their own.
        oddities: How many points are not counted, by day and reason.
        earliest: The first day of which there is a point.
    """

    counters: dict[date, Counters]
    words: MetricWords
    spill_days: int
    files: list[Given] = field(default_factory=list)
    refusals: Refusals = field(default_factory=Refusals)
    late: Counter[tuple[date, date]] = field(default_factory=Counter)
    oddities: Counter[tuple[date, str]] = field(default_factory=Counter)
    earliest: date = date.max

    def all(self, files: Sequence[Given]) -> None:
        """Reads files of which each may hold points of any day."""
        self.files += files
        self._take(files)
        for counters in self.counters.values():
            counters.known_since = max(self.earliest, counters.day - REACH)

    def near(self, day: date, of_day: Callable[[date], Sequence[Given]], oldest: date) -> None:
        """Reads the files around a day, and of earlier days as long as one of its counters may have counted there.

        Args:
            of_day: Finds the files of a day.
            oldest: The day of the oldest file that there is.
        """
        spill, counters = timedelta(days=self.spill_days), self.counters[day]
        counters.known_since = max(oldest, day - REACH)
        for each in Window(day - spill - DAY, day + spill + DAY).days():
            self.files += of_day(each)
        self._take(self.files)
        file_day = day - spill - DAY
        while file_day > max(oldest, day - REACH - spill) and counters.open_before(file_day + spill):
            file_day -= DAY
            self._take(of_day(file_day))

    def _take(self, files: Iterable[Given]) -> None:
        for file in files:
            try:
                _files.whole(file)
            except SourceError as error:
                self._refuse(file, Refusal("", "", error.why), error.fix)
                continue
            for place, payload, wrong in payloads(file, of_other_signals):
                found = None if wrong else judge(payload, self.words)
                for refusal in found.refused if found else (Refusal("", "", wrong or ""),):
                    self._refuse(file, refusal, place=place)
                for point in found.points if found else ():
                    self._point(file, place, point)
            if not file.still():
                self._refuse(file, Refusal("", "", "it changed while it was read"), "land the day again")

    def _point(self, file: Given, place: str, point: Point) -> None:
        day = day_of(point.time_ns - 1) or date.min
        self.earliest = min(self.earliest, day)
        far = file.day is not None and abs(file.day - day).days > self.spill_days
        if file.day and (far or (file.day - day).days > RESTATED_DAYS):
            self.late[file.day, day] += 1
        if far:
            return
        for reached in range(REACH_DAYS + 1):
            counters = self.counters.get(day + timedelta(days=reached))
            if counters and not counters.add(point, day):
                rule = "another point of the same series and time tells something else"
                self._refuse(file, Refusal("", "", rule, day), place=place)
        if day in self.counters and (odd := unheard(point, self.words)):
            self.oddities[day, odd] += 1

    def _refuse(self, file: Given, refusal: Refusal, fix: str = MEND, place: str = "") -> None:
        """Holds back the days that the wrong thing is of or may be of, and those that count on from it."""
        where = ", ".join(filter(None, (file.shown, place, refusal.place, refusal.field)))
        if refusal.day is None and file.day is None:
            self.refusals.add(where, refusal.rule, fix, None)
            return
        for day in self.counters:
            if refusal.day is None or refusal.day <= day <= refusal.day + REACH:
                self.refusals.add(where, refusal.rule, fix, day)

    def said(self, day: date, growths: Iterable[Growth]) -> Iterator[str]:
        """What is to be said of a day beside what it grew by."""
        for (file_day, own), count in sorted(self.late.items()):
            if file_day == day:
                points = f"{count} {noun(count, 'point', 'points')} of {own} {noun(count, 'lies', 'lie')} in a file " \
                         f"of {file_day}"
                if abs(file_day - own).days > self.spill_days:
                    yield f"{points}, more than spill_days = {self.spill_days} away, and {noun(count, 'is', 'are')} " \
                          f"counted nowhere: raise spill_days in [sources.otel] and land {own} again"
                else:
                    yield f"{points}: land {own} again if it was landed before"
        for (own, odd), count in sorted(self.oddities.items()):
            if own == day:
                yield f"{count} {noun(count, 'point is', 'points are')} not counted, of {odd}"
        counters = self.counters[day]
        if count := counters.unknown:
            yield f"{count} {noun(count, 'counter', 'counters')} began before {counters.known_since}, and no earlier " \
                  f"point was found: what {noun(count, 'it', 'they')} told until {noun(count, 'its', 'their')} first " \
                  "point is counted nowhere"
        long = sum(1 for growth in growths
                   if growth.since_ns and growth.ended_ns - growth.since_ns > HOUR_NS and any(growth.value))
        if long:
            yield f"{long} {noun(long, 'point tells', 'points tell')} of more than an hour at once, and " \
                  f"{noun(long, 'counts', 'count')} in the hour of {noun(long, 'its', 'their')} time"


def of_other_signals(line: bytes) -> bool:
    """Whether a line holds spans or logs alone, without reading it as JSON: there may be very many of them."""
    return b'"resourceMetrics"' not in line and (b'"resourceSpans"' in line or b'"resourceLogs"' in line)
