"""Weeks and changes laid out for lookup: what a workflow used in a week, and when which change touched it.

Comparing anything does not belong here (`split`, `trend`, `rollout`, `lottery`), nor choosing who is compared.

A week that a workflow has no row for is one without calls from its first row on, and no week of it before that. A week
that nobody has a row for is not counted at all: what was not delivered is no saving.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from pipelines.rebound.values import MOST_PERIODS, Touched, Week

NOBODY = frozenset({"orphan", "unattributed"})  # holds what no rule knows; nobody rolls anything out there
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Change:
    """One change, with the day on which each of its workflows was touched.

    Attributes:
        change_id: The change.
        dates: UTC day of each workflow.
        expected_saving_ratio: As declared; None = not declared.
        design: `randomised order`, or empty.
    """

    change_id: str
    dates: Mapping[str, date]
    expected_saving_ratio: Decimal | None
    design: str


def gathered(rows: Iterable[Touched]) -> list[Change]:
    """The changes in order of their ids.

    Of one that is said to touch a workflow twice the earlier day counts.
    """
    found: dict[str, list[Touched]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row.change_id, row.change_date, row.workflow_id), reverse=True):
        found[row.change_id].append(row)
    return [
        Change(change_id, {row.workflow_id: row.change_date for row in touched}, touched[0].expected_saving_ratio,
               touched[0].design)
        for change_id, touched in sorted(found.items())
    ]


def start_of(change_date: date) -> date:
    """The Monday of the first whole week that lies after the change."""
    return change_date + timedelta(days=-change_date.weekday() % 7)


def is_split(change_date: date) -> bool:
    """Whether the change falls into the middle of a week, which then counts neither as before nor as after."""
    return change_date.weekday() != 0


class History:
    """What workflows used by week, and which changes touched them.

    Attributes:
        weeks: The Mondays for which there are rows.
        teams: The team of each workflow, as of its last week.
    """

    def __init__(self, changes: Iterable[Change], rows: Iterable[Week]) -> None:
        self._rows: dict[str, dict[date, Week]] = defaultdict(dict)
        for row in rows:
            if row.workflow_id not in NOBODY:
                self._rows[row.workflow_id][row.week_date] = row
        self.weeks = sorted({week for weeks in self._rows.values() for week in weeks})
        self._first = {workflow: min(weeks) for workflow, weeks in self._rows.items()}
        self.teams = {workflow: weeks[max(weeks)].team_id for workflow, weeks in self._rows.items()}
        self._touched: dict[str, list[tuple[str, date]]] = defaultdict(list)
        for change in changes:
            for workflow, day in change.dates.items():
                self._touched[workflow].append((change.change_id, day))

    def used(self, workflow_id: str, week_date: date) -> tuple[Decimal | None, int] | None:
        """Energy in kWh (None = unknown) and requests of the week; None before the workflow's first one."""
        if week_date < self._first.get(workflow_id, date.max):
            return None
        row = self._rows[workflow_id].get(week_date)
        return (Decimal(0), 0) if row is None else (row.energy_kwh, row.request_count)

    def others(self, change_id: str, workflow_id: str) -> list[date]:
        """The days on which other changes touched the workflow."""
        return [day for other, day in self._touched.get(workflow_id, ()) if other != change_id]

    def around(self, change: Change, workflow_id: str) -> tuple[list[date], list[date]]:
        """The whole weeks before and after the change in which no other change touched the workflow.

        At most half a year on either side; none at all where another change came on the same day.
        """
        day = change.dates[workflow_id]
        others = self.others(change.change_id, workflow_id)
        if day in others:
            return [], []
        since = max((other for other in others if other < day), default=date.min)
        until = min((other for other in others if other > day), default=date.max)
        here = [week for week in self.weeks if self.used(workflow_id, week) is not None]
        before = [week for week in here if since <= week and week + WEEK <= day]
        after = [week for week in here if day <= week and week + WEEK <= until]
        return before[-MOST_PERIODS:], after[:MOST_PERIODS]
