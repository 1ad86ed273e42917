"""A replay of days that are over: what the gate would have slowed, moved or denied of the work that was done.

Which build and which days are replayed, and under which rules, belongs in `simulating`; what a reached step does to a
class of work is `deciding.strictest`, which the gate itself asks.

The marts know days, not hours: the work of a day is taken to run evenly and side by side through it, so that a limit is
reached in the middle of a day where it was. A day has a million million parts, and a part is never cut.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal, localcontext
from itertools import groupby

from pipelines.gate.deciding import strictest
from pipelines.gate.file import CeilingState, Step

PARTS = 10**12
ALLOW, STOP = "allow", "stop"
_EXACT = Context(prec=200)


@dataclass(frozen=True)
class Work:
    """What the ledger counted of one workflow at one provider on one day.

    Attributes:
        usefulness_class: As declared; None where nobody did.
        perimeters: Those around it.
        quantities: What it counts against a ceiling, by metric, in the metric's unit.
        is_asked: False for what no call asks for (idle machines, training): no gate stops it.
        unknown_calls: Of `calls`, those whose energy is not known; they add nothing to `quantities`.
        energy_kwh: Low end, central estimate and high end; None where unknown.
    """

    day: date
    workflow_id: str
    usefulness_class: str | None
    perimeters: tuple[str, ...]
    quantities: Mapping[str, Decimal]
    is_asked: bool = True
    calls: int = 0
    unknown_calls: int = 0
    energy_kwh: tuple[Decimal | None, Decimal | None, Decimal | None] = (None, None, None)


@dataclass
class Treated:
    """One day's work of a workflow, and what was done with which parts of the day.

    Attributes:
        parts: By action, allow among them; they sum to `PARTS`.
        by: By action, the first ceiling and rule (None: the limit itself) that led to it.
    """

    work: Work
    parts: Counter[str] = field(default_factory=Counter)
    by: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    @property
    def denied_calls(self) -> int:
        """Whole calls; one that the limit is reached in is denied."""
        return -(-self.work.calls * self.parts[STOP] // PARTS)

    @property
    def denied_unknown_calls(self) -> int:
        return min(-(-self.work.unknown_calls * self.parts[STOP] // PARTS), self.denied_calls)

    @property
    def denied_energy_kwh(self) -> tuple[Decimal | None, ...]:
        """The part of each end, cut to billionths of a kWh; a range stays one."""
        return tuple(None if end is None else self.part(end) for end in self.work.energy_kwh)

    def part(self, quantity: Decimal) -> Decimal:
        """What was denied of a quantity with at most twelve decimals, cut to nine."""
        return Decimal(int(quantity.scaleb(9, _EXACT)) * self.parts[STOP] // PARTS).scaleb(-9, _EXACT)


@dataclass
class Course:
    """How one ceiling fares in a replay, in its metric's unit.

    Attributes:
        used: What is used of it, denied work left out.
        demanded: What would be used had nothing been denied.
        essential: Of that, essential work.
        unasked: Of that, what no call asked for and is not essential.
        reached: The highest step that its use has come to.
        reached_on: First day on which the limit is reached, so that work stops.
        demanded_over_on, essential_over_on: First day on which demand, or essential work alone, is above the limit.
    """

    ceiling: CeilingState
    used: Decimal
    demanded: Decimal
    essential: Decimal = Decimal(0)
    unasked: Decimal = Decimal(0)
    reached: Decimal = Decimal(0)
    reached_on: date | None = None
    demanded_over_on: date | None = None
    essential_over_on: date | None = None

    @property
    def holds(self) -> bool:
        return self.used <= self.ceiling.limit

    @property
    def seen(self) -> Decimal:
        """What the gate goes by: a step that was come to stays reached, however the last part of a day is cut."""
        return max(self.used, self.reached)


def replay(work: Iterable[Work], ceilings: Sequence[CeilingState], first: date) -> tuple[list[Treated], list[Course]]:
    """The work from the first day on with what is done to it, and how the ceilings fare.

    Args:
        work: Also of the days before, from the first day of each ceiling's period on; that is taken as it was.
        ceilings: Their `used` is what is counted before the first of the work's days.
    """
    courses = [Course(ceiling, ceiling.used, ceiling.used, reached=ceiling.used) for ceiling in ceilings]
    found: list[Treated] = []
    with localcontext(_EXACT):
        for day, group in groupby(sorted(work, key=lambda each: each.day), key=lambda each: each.day):
            binding = [course for course in courses
                       if course.ceiling.period_start <= day < course.ceiling.period_end]
            treated = [Treated(each) for each in group]
            if day < first:
                _add(treated, binding, PARTS)
            else:
                _through(day, treated, binding)
                found += treated
            _note(day, [each.work for each in treated], binding)
    return found, courses


def _through(day: date, treated: Sequence[Treated], binding: Sequence[Course]) -> None:
    """One day, from step to step: between two of them each class is treated the same."""
    left = PARTS
    courses = {course.ceiling.ceiling_id: course for course in binding}
    ceilings = [course.ceiling for course in binding]
    while left:
        going = []
        for each in treated:
            decided = strictest(ceilings, each.work.usefulness_class, each.work.perimeters, day,
                                lambda ceiling: courses[ceiling.ceiling_id].seen) if each.work.is_asked else None
            going.append((each, decided))
        passing = [each for each, decided in going if not _stops(decided)]
        span, reached = left, None
        for course in binding:
            ahead = [step.from_quantity for steps in course.ceiling.steps.values() for step in steps
                     if step.from_quantity > course.seen]
            rate = _sum(course, passing)
            if ahead and rate > 0:
                until = int((min(ahead) - course.used) * PARTS // rate)
                if until < span:
                    span, reached = until, (course, min(ahead))
        for each, decided in going:
            action = decided[0].action if decided else ALLOW
            each.parts[action] += span
            if decided and span:
                each.by.setdefault(action, (decided[1].ceiling_id, decided[0].rule_id))
        _add(passing, binding, span)
        left -= span
        if reached:
            course, quantity = reached
            course.reached = quantity


def _stops(decided: tuple[Step, CeilingState, Decimal] | None) -> bool:
    return decided is not None and decided[0].action == STOP


def _of(course: Course, work: Work) -> Decimal:
    """What the work counts against the ceiling; what is not known counts nothing, as in its position."""
    ceiling = course.ceiling
    return work.quantities.get(ceiling.metric, Decimal(0)) if ceiling.perimeter in work.perimeters else Decimal(0)


def _sum(course: Course, treated: Iterable[Treated]) -> Decimal:
    return sum((_of(course, each.work) for each in treated), Decimal(0))


def _add(treated: Sequence[Treated], binding: Sequence[Course], parts: int) -> None:
    for course in binding:
        course.used += _sum(course, treated) * parts / PARTS


def _note(day: date, work: Sequence[Work], binding: Sequence[Course]) -> None:
    """What is demanded of each ceiling, and the first days on which something is above its limit."""
    for course in binding:
        limit = course.ceiling.limit
        for each in work:
            quantity = _of(course, each)
            course.demanded += quantity
            if each.usefulness_class == "essential":
                course.essential += quantity
            elif not each.is_asked:
                course.unasked += quantity
        if course.seen >= limit:
            course.reached_on = course.reached_on or day
        if course.demanded > limit:
            course.demanded_over_on = course.demanded_over_on or day
        if course.essential > limit:
            course.essential_over_on = course.essential_over_on or day
