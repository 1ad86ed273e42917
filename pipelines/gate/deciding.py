"""What the gate answers: allow, slow or deny, with the reason.

How a gate file is made and read belongs in `writing` and `file`, what a proxy does with an answer in `litellm_hook`.

A ceiling's use is what its build has counted, plus the calls that were let through here on days that the build has not
seen. The count is checked and raised in one step, so that concurrent calls of one machine do not overshoot a limit in
requests at all; machines that share no counts each take theirs for `machines_count` of them.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.gate.counting import Counts
from pipelines.gate.file import (
    ACTIONS,
    EVERYTHING,
    NAME,
    UNDECLARED,
    CeilingState,
    GateFile,
    NotTrusted,
    Step,
    answer,
    iso,
    read,
    service,
)
from pipelines.gate.settings import FILE, GateSettings, load_gate

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")  # as the registry's ids, whose module would import pydantic
PUBLISHED, POINTER = "published", "CURRENT"  # as `pipelines.snapshot.layout` has them, which would import DuckDB


@dataclass(frozen=True)
class Decision:
    """The answer to one question.

    Attributes:
        verdict: allow, slow or deny.
        action: What is to be done: allow, slow, batch, smaller_model or stop.
        usefulness_class: As declared; None where no file says.
        ceiling_id: The ceiling that decided; None if none did.
        rule_id: The rule that decided; None where the limit itself did.
        build_id: The published build that the answer rests on; None without a gate file.
    """

    verdict: str
    action: str
    reason: str
    workflow_id: str
    usefulness_class: str | None = None
    ceiling_id: str | None = None
    rule_id: str | None = None
    build_id: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class _Known:
    """What was on disk when it was last looked at."""

    stamps: tuple[Any, ...]
    settings: GateSettings
    gate: GateFile | None
    trouble: str | None


class Gate:
    """The gate of one JEVONS_HOME; safe to ask from many threads and processes."""

    def __init__(self, home: Path, key: str | None = None):
        """Args: home: folder of `published/` and `jevons.toml`. key: JEVONS_GATE_KEY; None believes unsigned files."""
        self._home, self._key = home, key
        self._counts = Counts(home / "gate")
        self._known: _Known | None = None

    @property
    def settings(self) -> GateSettings:
        return self._look().settings

    def decide(self, workflow_id: str, now: datetime, calls: int = 1, provider: str | None = None) -> Decision:
        """Whether the workflow's next calls may go ahead; calls that may are counted, those denied are recorded.

        Args:
            now: The present instant, with its time zone; days and periods are UTC.
            calls: How many are about to be made; 0 only asks, and leaves no trace.
            provider: Who runs the model, as the ledger names it; None where that is not known, and then no ceiling
                of a service counts.
        """
        now = now.astimezone(UTC)
        known = self._look()
        usefulness_class, perimeters = known.gate.workflow(workflow_id) if known.gate else (None, (EVERYTHING,))
        if provider:
            perimeters = (*perimeters, service(provider))
        try:
            with self._counts.alone():
                decision = self._decided(known, workflow_id, usefulness_class, perimeters, now, calls)
                if calls and decision.verdict == "deny":
                    self._counts.denied(now.date(), {
                        **decision.as_dict(), "denial_id": os.urandom(16).hex(), "denied_at_utc": iso(now),
                        "calls": calls, "workflow_id": _named(workflow_id) or "orphan", "provider": _named(provider),
                    })
                elif calls:
                    self._counts.add(now.date(), perimeters, calls)
        except OSError as error:
            trouble = f"calls cannot be counted under {self._counts.folder} ({error.strerror})"
            decision = _failed(known, workflow_id, usefulness_class, trouble)
        return decision

    def _decided(
        self, known: _Known, workflow_id: str, usefulness_class: str | None, perimeters: tuple[str, ...],
        now: datetime, calls: int,
    ) -> Decision:
        gate = known.gate
        if known.trouble or gate is None or now >= gate.valid_until:
            trouble = known.trouble or f"the gate file is out of date since {iso(gate.valid_until)}"
            return _failed(known, workflow_id, usefulness_class, trouble)
        if usefulness_class == "essential":
            return Decision("allow", "allow", "essential work always passes", workflow_id, usefulness_class,
                            build_id=gate.build_id)
        worst = strictest(gate.ceilings, usefulness_class, perimeters, now.date(),
                          lambda ceiling: self._used(known, gate, ceiling, now.date(), calls))
        if worst is None:
            return Decision("allow", "allow", "within every ceiling that covers it", workflow_id, usefulness_class,
                            build_id=gate.build_id)
        step, ceiling, used = worst
        return Decision(answer(step), step.action, _because(step, ceiling, used, usefulness_class), workflow_id,
                        usefulness_class, ceiling.ceiling_id, step.rule_id, gate.build_id)

    def _used(self, known: _Known, gate: GateFile, ceiling: CeilingState, today: date, calls: int) -> Decimal:
        """What will be used before the last of these calls is made."""
        first = ceiling.period_start
        if gate.data_to:
            first = max(first, gate.data_to + timedelta(days=1))
        here = self._counts.since(first, today, ceiling.perimeter) * known.settings.machines_count
        return ceiling.used + (here + max(calls - 1, 0)) * ceiling.per_call

    def _look(self) -> _Known:
        """What is on disk now; read again only where a file has changed."""
        published = self._home / PUBLISHED
        pointer = published / POINTER
        known = self._known
        build = known.stamps[3] if known else ""
        stamps = (_stamp(self._home / FILE), _stamp(pointer), _stamp(published / build / NAME), build)
        if known and stamps == known.stamps:
            return known
        settings = load_gate(self._home)
        gate, trouble = None, None
        try:
            build = pointer.read_text("ascii").strip()
        except (OSError, ValueError):
            build = ""
        path = published / build / NAME
        stamps = (stamps[0], stamps[1], _stamp(path), build)
        try:
            gate = read(path, self._key)
            if gate.build_id != build:
                raise NotTrusted("of another build")
        except NotTrusted as problem:
            trouble = f"the gate file is {problem}"
            gate = self._earlier(published, build)
        self._known = _Known(stamps, settings, gate, trouble)
        return self._known

    def _earlier(self, published: Path, build: str) -> GateFile | None:
        """The newest file of another build, from which only the classes are taken: essential work passes always."""
        for path in sorted(published.glob(f"*/{NAME}"), key=_stamp, reverse=True):
            if path.parent.name != build:
                try:
                    return read(path, self._key)
                except NotTrusted:
                    continue
        return None


def decide(
    home: Path, workflow_id: str, now: datetime, key: str | None = None, calls: int = 1, provider: str | None = None,
) -> Decision:
    """`Gate.decide` of that home; what was read stays in memory until a file changes."""
    return _gate(home, key).decide(workflow_id, now, calls, provider)


def strictest(
    ceilings: Iterable[CeilingState], usefulness_class: str | None, perimeters: Collection[str], day: date,
    used: Callable[[CeilingState], Decimal],
) -> tuple[Step, CeilingState, Decimal] | None:
    """The step that decides about work, the ceiling that it belongs to, and what is used of that; None lets it pass.

    Args:
        usefulness_class: As declared; None where nobody did.
        perimeters: Those around the work.
        used: What is used of a ceiling by then; only asked for those that bind the work on the day.
    """
    worst: tuple[Step, CeilingState, Decimal] | None = None
    for ceiling in ceilings:
        if ceiling.perimeter in perimeters and ceiling.period_start <= day < ceiling.period_end:
            quantity = used(ceiling)
            step = ceiling.step(usefulness_class or UNDECLARED, quantity, perimeters)
            if step and (worst is None or ACTIONS.index(step.action) > ACTIONS.index(worst[0].action)):
                worst = step, ceiling, quantity
    return worst


@cache
def _gate(home: Path, key: str | None) -> Gate:
    return Gate(home, key)


def _named(name: str | None) -> str | None:
    """What may be written down: a caller chooses its words, and anything but an id could be a person or a prompt."""
    return name if name and _ID.fullmatch(name) else None


def _failed(known: _Known, workflow_id: str, usefulness_class: str | None, trouble: str) -> Decision:
    build_id = known.gate.build_id if known.gate else None
    if usefulness_class == "essential":
        reason = f"essential work always passes, although {trouble}"
        return Decision("allow", "allow", reason, workflow_id, usefulness_class, build_id=build_id)
    closed = known.settings.fail == "closed"
    reason = f"{trouble}, and by [gate] fail = \"{known.settings.fail}\" " + (
        "only essential work passes then" if closed else "all work passes then"
    )
    verdict, action = ("deny", "stop") if closed else ("allow", "allow")
    return Decision(verdict, action, reason, workflow_id, usefulness_class, build_id=build_id)


def _because(step: Step, ceiling: CeilingState, used: Decimal, usefulness_class: str | None) -> str:
    work = f"{usefulness_class} work" if usefulness_class else f"undeclared work, treated as {UNDECLARED},"
    done = {"slow": "slowed", "batch": "batched", "smaller_model": "moved to a smaller model", "stop": "stopped"}
    by = f" by rule {step.rule_id}" if step.rule_id else ""
    return (
        f"{ceiling.ceiling_id}: {_plain(used)} of {_plain(ceiling.limit)} {ceiling.metric} of {ceiling.perimeter} are"
        f" used, and {work} is {done[step.action]} from {_plain(step.from_ratio * 100)} % on{by}"
    )


def _plain(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.001')).normalize():f}"


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
