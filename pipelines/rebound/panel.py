"""The groups of a roll-out: who rolled out when, who can be compared with them, and what they used by week.

Estimating does not belong here (`rollout`, `lottery`).

A group is a team where the change reached all of a team's workflows on one day or none of them, else a workflow: errors
are shared by what was decided together (Abadie, Athey, Imbens and Wooldridge, Quarterly J. Econ. 138 (2023) 1).
"""

from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from math import log

import numpy as np
from numpy.typing import NDArray

from pipelines.rebound.history import WEEK, Change, History, is_split, start_of
from pipelines.rebound.values import MOST_PERIODS

LEAST_UNTREATED = 2  # groups that have not rolled out, in each week that counts


@dataclass(frozen=True)
class Panel:
    """Groups x weeks, each group with all of them.

    Attributes:
        logs: Logarithm of the energy.
        starts: Index of each group's first whole week after its roll-out; as many as there are weeks = not in them.
        split: Whether a roll-out fell into the middle of the week before that, which then does not count.
        n_left_out: Groups that lack weeks or were touched by another change.
    """

    logs: NDArray[np.float64]
    starts: NDArray[np.int64]
    split: NDArray[np.bool_]
    n_left_out: int = 0

    @property
    def treated(self) -> NDArray[np.bool_]:
        """Groups that rolled out within these weeks."""
        return self.starts < self.logs.shape[1]

    @property
    def periods(self) -> tuple[int, int]:
        """Weeks that each of them has before at least, and that the first of them has after."""
        starts = self.starts[self.treated]
        if not starts.size:
            return 0, 0
        return int((starts - self.split[self.treated]).min()), int(self.logs.shape[1] - starts.min())

    def of(self, kept: NDArray) -> "Panel":
        """The panel of some of its groups, up to the last week in which two of them have not rolled out."""
        starts = self.starts[kept]
        last = np.sort(starts)[-LEAST_UNTREATED] if starts.size >= LEAST_UNTREATED else 0
        weeks = min(self.logs.shape[1], int(last) - int(self.split[kept][starts == last].any()))
        weeks = max(weeks, 0)
        return Panel(self.logs[kept, :weeks], np.minimum(starts, weeks), self.split[kept], self.n_left_out)

    def without(self, group: int) -> "Panel":
        """The panel without one group, over the same weeks."""
        return Panel(*(np.delete(each, group, axis=0) for each in (self.logs, self.starts, self.split)))


def groups_of(change: Change, history: History) -> dict[str, list[str]]:
    """The workflows of each group."""
    teams: dict[str, list[str]] = defaultdict(list)
    for workflow, team in sorted(history.teams.items()):
        teams[team].append(workflow)
    if all(len({change.dates.get(workflow) for workflow in workflows}) == 1 for workflows in teams.values()):
        return teams
    return {workflow: [workflow] for workflow in sorted(history.teams)}


def laid_out(change: Change, history: History, touched_only: bool = False) -> Panel:
    """The panel around the roll-outs of a change: half a year before the first one to half a year after the last.

    Args:
        change: The change.
        history: What was used, and the other changes.
        touched_only: Whether groups that the change never reaches are left out.
    """
    first, last = (start_of(day) for day in (min(change.dates.values()), max(change.dates.values())))
    weeks = [week for week in history.weeks if first - MOST_PERIODS * WEEK <= week < last + MOST_PERIODS * WEEK]
    rows: list[list[float]] = []
    starts: list[tuple[int, bool]] = []
    left_out = 0
    for workflows in groups_of(change, history).values():
        day = change.dates.get(workflows[0])
        if day is None and touched_only:
            continue
        logs = _logs(change, history, workflows, weeks)
        if logs is None:
            left_out += 1
        else:
            rows.append(logs)
            starts.append((len(weeks), False) if day is None else _start(day, weeks))
    panel = Panel(np.array(rows).reshape(len(rows), len(weeks)), np.array([start for start, _ in starts], np.int64),
                  np.array([split for _, split in starts], bool), left_out)
    return panel.of(np.arange(len(rows)))


def _start(day: date, weeks: list[date]) -> tuple[int, bool]:
    """Index of the first whole week after the day, and whether the week before it is the one that holds the day."""
    start = bisect_left(weeks, start_of(day))
    return start, is_split(day) and weeks[start - 1:start] == [start_of(day) - WEEK]


def _logs(change: Change, history: History, workflows: list[str], weeks: list[date]) -> list[float] | None:
    """The group's weeks; None where it lacks one, uses nothing in one, or another change touches it within them."""
    for workflow in workflows:
        if any(weeks[0] <= day < weeks[-1] + WEEK for day in history.others(change.change_id, workflow)):
            return None
    logs = []
    for week in weeks:
        used = [found for found in (history.used(workflow, week) for workflow in workflows) if found is not None]
        if any(energy is None for energy, _ in used) or not sum(energy for energy, _ in used):
            return None
        logs.append(log(sum(energy for energy, _ in used)))
    return logs
