"""Rows of made-up changes and weeks, from figures written out in the tests; estimating does not belong here."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import numpy as np

from pipelines.rebound.history import Change, History, gathered
from pipelines.rebound.panel import Panel
from pipelines.rebound.values import Touched, Week

MONDAY = date(2026, 1, 5)


def monday(number: int) -> date:
    return MONDAY + timedelta(weeks=number)


def weeks(workflow: str, kwh: Sequence, requests: Sequence[int] | int = 1000, team: str = "",
          first: int = 0) -> list[Week]:
    """One row a week; None as energy is unknown."""
    many = [requests] * len(kwh) if isinstance(requests, int) else requests
    return [Week(monday(first + number), workflow, team or f"team-{workflow}",
                 None if each is None else Decimal(str(each)), many[number]) for number, each in enumerate(kwh)]


def touched(days: dict[str, date], saving: str | None = "0.4", design: str = "", change: str = "c") -> list[Touched]:
    return [Touched(change, day, workflow, None if saving is None else Decimal(saving), design)
            for workflow, day in days.items()]


def laid(changes: list[Touched], rows: list[Week], change_id: str = "c") -> tuple[Change, History]:
    every = gathered(changes)
    return next(each for each in every if each.change_id == change_id), History(every, rows)


def panel(logs, starts: Sequence[int]) -> Panel:
    logs = np.asarray(logs, float)
    return Panel(logs, np.array(starts), np.zeros(len(starts), bool))
