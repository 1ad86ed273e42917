"""Tells every channel what it was not told yet: a channel that fails holds up no other, and is tried again next time.

What there is to tell belongs in `changes`, how it leaves in `channels`, what was sent in `record`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pipelines import snapshot
from pipelines.alerts import changes, channels
from pipelines.alerts.changes import Message
from pipelines.alerts.record import Record
from pipelines.alerts.settings import PASSWORD_SECRET, WEBHOOK_SECRET
from pipelines.errors import JevonsError
from pipelines.settings import Settings
from pipelines.units import noun

Send = Callable[[Message], str | None]


@dataclass(frozen=True)
class Outcome:
    """What became of one channel.

    Attributes:
        messages: What it was told now, or would be told.
        trouble: What to mend, in a sentence without secrets; empty if all went well.
    """

    channel: str
    messages: tuple[Message, ...]
    trouble: str = ""


def check(settings: Settings) -> list[Outcome]:
    """What `send` would tell each channel; nothing is sent, and nothing is written.

    Raises:
        JevonsError: no build is published, or it or the record cannot be read.
    """
    build = snapshot.current(settings.home)
    rows, record = changes.positions(build), Record(settings.home)
    return [
        Outcome(name, tuple(
            message for message in changes.messages(build, rows, settings.alerts, name, record.lines(name))
            if message.message_id))
        for name in _channels(settings, print, None)
    ]


def send(settings: Settings, now: datetime, write: Callable[[str], None]) -> list[Outcome] | None:
    """Tells each channel what the newest published build has to say; None if another process is doing so now.

    Args:
        write: Takes the lines of the log.

    Raises:
        JevonsError: no build is published, or it or the record cannot be read.
    """
    record = Record(settings.home)
    with record.alone() as is_alone:
        if not is_alone:
            return None
        build = snapshot.current(settings.home)  # in here: a process that waited would have an older one
        rows = changes.positions(build)
        return [_tell(name, send_, build, rows, settings, record, now)
                for name, send_ in _channels(settings, write, now).items()]


def examine(settings: Settings) -> Iterator[tuple[bool, str]]:
    """Whether the channels can be used and what they tell, a sentence each; the mail server is asked to log in."""
    alerts = settings.alerts
    names = list(_channels(settings, print, None))
    parts = ", ".join(f"{(part * 100).normalize():f} %" for part in alerts.used_ratios) or "no part"
    yield True, f"told to {', '.join(names) or 'nobody'}: changes of status, and {parts} of a limit used"
    for on, look in ((alerts.webhook, lambda: channels.check_address(settings.secret(WEBHOOK_SECRET))),
                     (alerts.email, lambda: _log_in(settings))):
        if on:
            try:
                look()
            except JevonsError as error:
                yield False, str(error)


def _log_in(settings: Settings) -> None:
    with channels.connected(settings.alerts.email, settings.secret(PASSWORD_SECRET)):
        pass


def _channels(settings: Settings, write: Callable[[str], None], now: datetime | None) -> dict[str, Send]:
    alerts, secret, found = settings.alerts, settings.secret, {}
    if alerts.log:
        found["log"] = lambda message: channels.log(write, message)
    if alerts.webhook:
        found["webhook"] = lambda message: channels.webhook(secret(WEBHOOK_SECRET), message)
    if alerts.email:
        found["email"] = lambda message: channels.mail(alerts.email, secret(PASSWORD_SECRET), message, now)
    return found


def _tell(
    name: str, send_: Send, build: snapshot.Snapshot, rows: list, settings: Settings, record: Record, now: datetime,
) -> Outcome:
    sent, trouble = [], ""
    try:
        for message in changes.messages(build, rows, settings.alerts, name, record.lines(name)):
            told_at = now.isoformat(timespec="seconds")
            with record.noting({**changes.entry(name, message), "told_at_utc": told_at}):
                if message.message_id:
                    trouble = send_(message) or trouble
            if message.message_id:
                sent.append(message)
    except JevonsError as error:
        trouble = str(error)
    return Outcome(name, tuple(sent), trouble)


def summary(outcome: Outcome) -> str:
    """What became of a channel, in a few words."""
    many, lines = len(outcome.messages), sum(len(message.lines) for message in outcome.messages)
    if not outcome.messages:
        return f"{outcome.channel}: nothing new"
    return f"{outcome.channel}: {lines} {noun(lines, 'change')} in {many} {noun(many, 'message')}"
