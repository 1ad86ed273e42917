"""`[gate]` of `jevons.toml`: what happens where the gate does not know, and how long it believes what it knows.

The rest of that file is the business of `pipelines.settings`; which work stops first, of rules in the registry.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import JevonsError

FILE = "jevons.toml"
FAIL = ("open", "closed")


@dataclass(frozen=True)
class GateSettings:
    """How the gate behaves.

    Attributes:
        fail: open or closed: whether work that is not essential goes on where no gate file can be trusted.
        valid_hours: Hours after its writing in which a gate file is believed.
        machines_count: Machines that count calls apart from one another; each call counts that often on each.
        slow_seconds: How long a proxy holds back a call that is to be slowed.
        smaller_models: Model asked for -> the smaller one that takes its place, for rules that say so.
    """

    fail: str = "open"
    valid_hours: int = 48
    machines_count: int = 1
    slow_seconds: float = 2.0
    smaller_models: Mapping[str, str] | None = None


def read_gate(path: Path, table: Mapping[str, Any]) -> GateSettings:
    """The section as it stands in a file, checked."""
    checks = {
        "fail": (lambda value: value in FAIL, "write open or closed, in quotes"),
        "valid_hours": (lambda value: _whole(value) and 1 <= value <= 24 * 366, "write whole hours, at least 1"),
        "machines_count": (lambda value: _whole(value) and 1 <= value <= 10_000, "write a whole number, at least 1"),
        "slow_seconds": (lambda value: (_whole(value) or isinstance(value, float)) and 0 <= value <= 600,
                         "write seconds from 0 to 600"),
        "smaller_models": (lambda value: isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values()),
                           'write [gate.smaller_models] and below it "asked for" = "smaller one"'),
    }
    for key, value in table.items():
        if key not in checks:
            raise JevonsError("A setting means nothing", f"{path}, gate.{key}", "nothing reads a setting of that name",
                              f"use {', '.join(checks)}")
        right, fix = checks[key]
        if not right(value):
            raise JevonsError("A setting of the gate cannot be", f"{path}, gate.{key}", f"it is {value!r:.60}", fix)
    return GateSettings(**table)


def load_gate(home: Path) -> GateSettings:
    """Only this section, quickly; without a file, or without the section, what holds by default."""
    path = home / FILE
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("gate", {})
    except FileNotFoundError:
        table = {}
    except (OSError, ValueError) as error:
        raise JevonsError("The settings cannot be read", str(path), str(error), "mend that line") from error
    if not isinstance(table, Mapping):
        raise JevonsError("The settings have a value where a section belongs", f"{path}, gate",
                          f"{table!r:.60} is not a section", "write [gate] and put its settings below it")
    return read_gate(path, table)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
