"""`gate.json`: what it says, how it is signed, and how it is read again.

What it is made from belongs in `writing`, what follows from it in `deciding`.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

NAME = "gate.json"
FORMAT = 2
CLASSES = ("essential", "useful", "comfort", "experimental")
ACTIONS = ("slow", "batch", "smaller_model", "stop")  # from the mildest
EVERYTHING = "organisation/organisation"
UNDECLARED = "experimental"  # work that nobody answers for stops first
_CLOCK = ("written_at_utc", "valid_until_utc", "signature")


class NotTrusted(Exception):
    """Why a gate file is not believed, as the end of a sentence."""


@dataclass(frozen=True)
class Step:
    """From which used quantity on a class of work is treated how, by which rule (None: the limit itself).

    Attributes:
        perimeter: Only work inside it; None for all that the ceiling covers.
    """

    from_quantity: Decimal
    from_ratio: Decimal
    action: str
    rule_id: str | None
    perimeter: str | None = None


@dataclass(frozen=True)
class CeilingState:
    """One ceiling as of the build: the limit, what was used of it, and what a call adds (all in its metric's unit)."""

    ceiling_id: str
    perimeter: str
    metric: str
    period_start: date
    period_end: date
    limit: Decimal
    used: Decimal
    per_call: Decimal
    steps: Mapping[str, tuple[Step, ...]]

    def step(self, usefulness_class: str, used: Decimal, perimeters: Collection[str]) -> Step | None:
        """What holds for that class of work at that use: the strictest of the steps that are reached.

        Args:
            perimeters: Those around the work; a rule for another one says nothing about it.
        """
        reached = [step for step in self.steps.get(usefulness_class, ())
                   if used >= step.from_quantity and (step.perimeter is None or step.perimeter in perimeters)]
        return max(reached, key=lambda step: (ACTIONS.index(step.action), step.from_ratio)) if reached else None


@dataclass(frozen=True)
class GateFile:
    """A gate file that was read and, where a key is set, whose signature was right."""

    body: Mapping[str, Any]

    @property
    def build_id(self) -> str:
        return self.body["build_id"]

    @cached_property
    def valid_until(self) -> datetime:
        return datetime.fromisoformat(self.body["valid_until_utc"])

    @cached_property
    def data_to(self) -> date | None:
        """Last day whose use the build has counted."""
        return date.fromisoformat(self.body["data_to"]) if self.body["data_to"] else None

    @cached_property
    def ceilings(self) -> tuple[CeilingState, ...]:
        return tuple(_ceiling(entry, self.body["rules"]) for entry in self.body["ceilings"])

    def workflow(self, workflow_id: str) -> tuple[str | None, tuple[str, ...]]:
        """The class that a workflow was declared in (None: nobody declared it) and the perimeters around it."""
        known = self.body["workflows"].get(workflow_id)
        return (known["usefulness_class"], tuple(known["perimeters"])) if known else (None, (EVERYTHING,))


def steps_of(metric: str, limit: Decimal, rules: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Step, ...]]:
    """What happens to each class at which use; at the limit everything stops that is not essential, rules or none."""
    def steps(usefulness_class: str) -> Iterator[Step]:
        for rule in rules:
            if rule["usefulness_class"] == usefulness_class and rule["metric"] in (None, metric):
                ratio = Decimal(rule["from_ratio"])
                yield Step(limit * ratio, ratio, rule["action"], rule["rule_id"], rule["perimeter"])
        yield Step(limit, Decimal(1), "stop", None)

    return {name: tuple(steps(name)) for name in CLASSES if name != "essential"}


def service(provider: str) -> str:
    """The perimeter of all that a provider runs."""
    return f"service/{provider}"


def answer(step: Step | None) -> str:
    """allow, slow or deny."""
    return "allow" if step is None else "deny" if step.action == "stop" else "slow"


def same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two bodies say the same, whenever they were written."""
    return _without(one, _CLOCK) == _without(other, _CLOCK)


def signed(body: Mapping[str, Any], key: str | None) -> bytes:
    """The bytes of a file: the body with its signature, or with null where there is no key."""
    body = {**_without(body, ("signature",))}
    body["signature"] = _signature(body, key) if key else None
    return (json.dumps(body, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read(path: Path, key: str | None) -> GateFile:
    """Reads a gate file.

    Args:
        key: The secret that it must be signed with; None believes any file.

    Raises:
        NotTrusted: it is not there, cannot be read, or is not signed with the key.
    """
    try:
        body = json.loads(path.read_bytes())
        if body["format"] != FORMAT:
            raise NotTrusted("of another version of Jevons")
        if key and not hmac.compare_digest(str(body["signature"]).encode(), _signature(body, key).encode()):
            raise NotTrusted("not signed with JEVONS_GATE_KEY")
        gate = GateFile(body)
        _ = gate.ceilings, gate.valid_until, gate.data_to, body["workflows"]["orphan"]  # all is there
    except FileNotFoundError:
        raise NotTrusted("missing") from None
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError):
        raise NotTrusted("damaged") from None
    return gate


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _ceiling(entry: Mapping[str, Any], rules: list[Mapping[str, Any]]) -> CeilingState:
    limit = Decimal(entry["limit"])
    return CeilingState(
        entry["ceiling_id"], entry["perimeter"], entry["metric"], date.fromisoformat(entry["period_start"]),
        date.fromisoformat(entry["period_end"]), limit, Decimal(entry["used"]), Decimal(entry["per_call"]),
        steps_of(entry["metric"], limit, rules),
    )


def _signature(body: Mapping[str, Any], key: str) -> str:
    text = json.dumps(_without(body, ("signature",)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "hmac-sha256:" + hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def _without(body: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}
