"""A made-up source and what it delivers; as a script, lands in processes that are killed on the way.

What landing must have done then belongs to test_landing.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from pipelines import landing
from pipelines.settings import Settings
from pipelines.source import Column, Context, DayFile, Page, Source, Table
from pipelines.window import Window

FETCHED = datetime(2026, 7, 1, 3, 4, 5, tzinfo=UTC)
D1, D2, D3 = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
COLUMNS = (
    Column("id", "VARCHAR", "Key.", required=True),
    Column("day", "DATE", "Day.", required=True),
    Column("tokens", "BIGINT", "A whole number."),
    Column("usd", "DECIMAL(18,9)", "An exact number."),
)


def row(key: str, day: date = D1, tokens: int | None = 1, usd: str | None = None) -> dict:
    """One record."""
    return {"id": key, "day": day, "tokens": tokens, "usd": usd}


def source(items: Iterable[Page | DayFile] | Callable[[Context], Iterator[Page | DayFile]], **table: object) -> Source:
    """A source whose only table yields these pages or day files."""
    def fetch(context: Context, window: Window) -> Iterator[Page | DayFile]:
        yield from items(context) if callable(items) else items

    given = {"day_of": lambda record: record["day"], **table}
    return Source("probe", (Table("things", COLUMNS, ("id",), fetch, "Things.", **given),), "A probe.")


def context(home: Path, scratch: Path) -> Context:
    """What a fetch may use."""
    return Context(Settings(home, "Probe", False, {}, (), (), {}), scratch)


def land(home: Path, probe: Source, window: Window, findings: Iterable = ()) -> landing.Landed:
    """Stages and commits, as the asset does."""
    with landing.scratch(home) as scratch:
        staged = landing.stage(probe, probe.tables[0], context(home, scratch), window)
        return landing.commit(staged, findings, home, FETCHED)


BEFORE, AFTER = [row("a"), row("b", tokens=2)], [row("a"), row("b", tokens=3)]
NEXT_DAY = [row("c", D2, 5)]


def land_both_days(home: Path, first_day: list[dict] = AFTER) -> landing.Landed:
    """A restated first day and a new second day."""
    return land(home, source([Page(first_day + NEXT_DAY, "GET things")]), Window.of_days(D1, D2))


def _die_at(step: int, done: list[str]) -> None:
    """Kills this process just before its n-th change to the disk, which is just after the one before it."""
    for name in ("link", "replace", "fsync"):
        real = getattr(os, name)

        def fatal(*args: object, real: Callable = real, name: str = name) -> object:
            if len(done) == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done.append(name)
            return real(*args)

        setattr(os, name, fatal)


def _in_child(work: Callable[[], object]) -> int:
    """Exit status of the work in a process of its own; nothing that has threads was used in this one yet."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException as error:
            print(error, file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main(folder: Path) -> None:
    """For each step: a home in which a landing was killed there, then as it is after the next run."""
    first = folder / "first"
    assert not _in_child(lambda: land(first, source([Page(BEFORE, "GET things")]), Window.of_days(D1, D1)))
    killed = []
    for step in range(1000):
        home = folder / f"{step}"
        shutil.copytree(first, home)

        def work(home: Path = home, step: int = step) -> None:
            with landing.scratch(home) as scratch:
                probe = source([Page(AFTER + NEXT_DAY, "GET things")])
                staged = landing.stage(probe, probe.tables[0], context(home, scratch), Window.of_days(D1, D2))
                _die_at(step, [])
                landing.commit(staged, [], home, FETCHED)

        status = _in_child(work)
        if not status:
            break
        killed.append(os.WTERMSIG(status))
        for name, first_day in (("again", AFTER), ("back", BEFORE)):
            shutil.copytree(home, folder / f"{step}-{name}")
            assert not _in_child(lambda n=name, s=step, f=first_day: land_both_days(folder / f"{s}-{n}", f))
    print(json.dumps(killed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
