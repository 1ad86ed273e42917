"""What a build has to say of the ceilings to somebody who was told of an earlier one.

How it is sent, and how it is known what was sent, does not belong here.

A ceiling's state is its status, the highest part of its limit that is used, and the highest probability of a breach
that is reached, each of those that the settings name. A ceiling that nobody was told of counts as within its limit.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from pipelines import units
from pipelines.alerts.settings import AlertSettings
from pipelines.snapshot import Snapshot

LINES_AT_ONCE = 40  # Slack takes 50 blocks in a message
STATUSES = ("exceeded", "on course to exceed", "undecided", "within")


@dataclass(frozen=True)
class State:
    """What was told of a ceiling; a part that is not reached is None."""

    status: str = "within"
    used_ratio: Decimal | None = None
    breach_probability: Decimal | None = None

    def plain(self) -> dict[str, str | None]:
        """The state as JSON can hold it."""
        return {name: None if value is None else str(value) for name, value in asdict(self).items()}

    @classmethod
    def read(cls, plain: Mapping[str, str | None]) -> "State":
        """The state that `plain` wrote."""
        ratio, probability = (
            None if plain[name] is None else Decimal(plain[name]) for name in ("used_ratio", "breach_probability"))
        return cls(plain["status"], ratio, probability)


@dataclass(frozen=True)
class Message:
    """What one channel is told at once.

    Attributes:
        message_id: The same for the same changes since the same message, so that a repetition can be told.
        head: One line.
        lines: Key and sentence of each change.
        states: Ceiling -> its state once this is told, of all that changed or is new, also where that is no news.
        left_count: Changes of this build that further messages tell.
    """

    message_id: str | None
    build_id: str
    data_to: str
    head: str
    lines: tuple[tuple[str, str], ...]
    states: Mapping[str, State]
    left_count: int

    def text(self) -> str:
        """All of it, for people."""
        return "\n\n".join([self.head, *(sentence for _, sentence in self.lines), self.origin()])

    def origin(self) -> str:
        """Where it comes from."""
        return f"Jevons, build {self.build_id}, data to {self.data_to}, message {self.message_id}"


def positions(build: Snapshot) -> list[dict[str, Any]]:
    """The newest position of every ceiling."""
    return build.query("""
        select p.* from fct_ceiling_position_daily as p
        inner join (select ceiling_id, max(usage_date) as usage_date from fct_ceiling_position_daily group by 1) as last
        using (ceiling_id, usage_date) order by ceiling_id
    """).to_pylist()


def messages(
    build: Snapshot, rows: Sequence[Mapping[str, Any]], settings: AlertSettings, channel: str,
    told: Sequence[Mapping[str, Any]],
) -> list[Message]:
    """What the channel is still to be told.

    Args:
        build: The newest published build, whose newest positions are `rows`.
        told: What the channel was told so far, as `entry` writes it, oldest first.

    Returns:
        Nothing if the build is the one that was told last, or older; one message without an id and without lines if it
        has no news.
    """
    data_to = build.manifest["data_to"] or ""
    if told and (data_to < told[-1]["data_to"] or (
            build.build_id == told[-1]["build_id"] and not told[-1]["left_count"])):
        return []
    known, since = {}, {}
    for each in told:
        for ceiling_id, state in each["ceilings"].items():
            known[ceiling_id], since[ceiling_id] = State.read(state), each["message_id"]
    organisation, silent, lines = build.manifest["organisation"], {}, []
    for row in rows:
        ceiling_id = row["ceiling_id"]
        before = known.get(ceiling_id, State())
        now = _state(row, settings, before)
        if now == before or (not told and _is_over(row)):
            if ceiling_id not in known:
                silent[ceiling_id] = now
        else:
            key = _hash(organisation, channel, ceiling_id, before.plain(), now.plain(), since.get(ceiling_id))
            lines.append((ceiling_id, now, key, _plain(_sentence(row, known.get(ceiling_id), now))))
    if not told:
        head = f"{organisation}: first look at {_counted(row for row in rows if not _is_over(row))}"
    else:
        head = f"{organisation}: {units.counted(len(lines), 'ceiling has', 'ceilings have')} changed"
    found = []
    for first in range(0, max(len(lines), 1), LINES_AT_ONCE):
        some = lines[first : first + LINES_AT_ONCE]
        says = some or not told  # a channel's first message shows that it works
        found.append(Message(
            _hash(organisation, channel, *(key for _, _, key, _ in some)) if says else None,
            build.build_id, data_to, _plain(head),
            tuple((key, sentence) for _, _, key, sentence in some),
            {**silent, **{ceiling_id: now for ceiling_id, now, _, _ in some}},
            max(len(lines) - first - LINES_AT_ONCE, 0),
        ))
    return found


def entry(channel: str, message: Message) -> dict[str, Any]:
    """What is kept of a message that was sent."""
    return {
        "channel": channel, "message_id": message.message_id, "build_id": message.build_id, "data_to": message.data_to,
        "left_count": message.left_count,
        "ceilings": {ceiling_id: state.plain() for ceiling_id, state in message.states.items()},
    }


def _state(row: Mapping[str, Any], settings: AlertSettings, before: State) -> State:
    used, limit = row["used_quantity"], row["limit_quantity"]
    return State(
        row["status"],
        _reached(settings.used_ratios, before.used_ratio, lambda part: used > 0 and used >= part * limit),
        _reached(settings.breach_probabilities, before.breach_probability,
                 lambda part: row["breach_probability"] >= part),
    )


def _reached(parts: Sequence[Decimal], before: Decimal | None, holds: Callable[[Decimal], bool]) -> Decimal | None:
    """The highest that holds; what the settings no longer name is not taken back while it holds."""
    if not parts:
        return before
    highest = max(filter(holds, parts), default=None)
    return before if before is not None and holds(before) and (highest is None or highest < before) else highest


def _is_over(row: Mapping[str, Any]) -> bool:
    return row["usage_date"] + timedelta(days=1) >= row["period_end"]


def _counted(rows: Any) -> str:
    statuses = [row["status"] for row in rows]
    parts = [f"{statuses.count(status)} {status}" for status in STATUSES if status in statuses]
    return f"{units.counted(len(statuses), 'ceiling')}{': ' if parts else ''}{', '.join(parts)}"


def _sentence(row: Mapping[str, Any], before: State | None, now: State) -> str:
    """One change with the figures that it rests on, and their ranges; what was never told of has no state before."""
    def figure(name: str) -> str:
        middle, low, high = (row[f"{name}_{end}"] for end in ("quantity", "low", "high"))
        ends = f" ({units.quantity_range(row['metric'], low, high, middle)})" if low != high else ""
        return units.quantity(row["metric"], middle) + ends

    news = []
    if before is None or now.status != before.status:
        was = f"{before.status} -> " if before else ""
        since = f" since {row['exceeded_since_date']}" if now.status == "exceeded" else ""
        news.append(f"{was}{now.status}{since}")
    for name, what in (("used_ratio", "of the limit used"), ("breach_probability", "probability of a breach")):
        was, is_ = getattr(before or State(), name), getattr(now, name)
        if was != is_:
            up = was is None or (is_ is not None and is_ > was)
            news.append(f"{'at least' if up else 'back below'} {_percent(is_ if up else was)} {what}")
    perimeter = row["perimeter_type"]
    if perimeter != "organisation":
        perimeter += f" {row['perimeter_id']}"
    return (
        f"{perimeter} ({units.metric_name(row['metric']).lower()}), {row['period_start']} to "
        f"{row['period_end'] - timedelta(days=1)}: {', '.join(news)}. Used by {row['usage_date']}: {figure('used')} of "
        f"{units.quantity(row['metric'], row['limit_quantity'])}, {units.percent(row['used_ratio'])}. "
        f"Forecast: {figure('forecast')}."
    )


def _plain(text: str) -> str:
    """One line, in which every space is one that people can search for."""
    return " ".join(text.split())


def _percent(part: Decimal) -> str:
    return f"{(part * 100).normalize():f} %"


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
