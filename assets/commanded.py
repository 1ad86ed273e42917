"""What `materialize`, `rebuild` and `demo` do: refuse at once what cannot be, run the job, say what came of it.

Words on the command line are in `assets.cli`, the run itself in `assets.run`; imports are late, because the engine is
slow to start and a wrong day is said before it.
"""

from datetime import UTC, date, datetime, timedelta

from assets.process import loading
from assets.refusals import together
from assets.terminal import err, out, plain, say
from pipelines.errors import JevonsError
from pipelines.settings import FILE, home, load
from pipelines.window import Window

PUBLISHED_WITH_REFUSALS = 3
SHOWN = 3  # sentences of one table


def materialize_days(first: date, last: date) -> int:
    """Materialises these days and says what came of it; the exit code.

    Raises:
        JevonsError: the days cannot be, nothing can be read, or the run failed.
    """
    _check_days(first, last)
    _check_sources()
    return _run(Window.of_days(first, last), "materialize")


def rebuild_days() -> int:
    """Makes all landed days anew and says what came of it; the exit code.

    Raises:
        JevonsError: nothing was landed yet, or the run failed.
    """
    from assets.renewed import landed

    load(home())
    return _run(landed(home()), "rebuild")


def _run(window: Window, job: str) -> int:
    from assets.instance import prepare_environment
    from assets.progress import Progress

    prepare_environment()
    with Progress(err) as progress:
        progress.tell("starting", 0, 0)
        with loading():
            from assets.run import run

        outcome = run(window, progress.tell, job)
    for asset, days in outcome.missing.items():
        say(err, f"[yellow]missing[/] {asset}: not delivered for {_days(days)}")
    for asset, sentences in together(outcome.refused):
        for sentence in sentences[:SHOWN]:
            say(err, f"[red]refused[/] {asset}: {plain(sentence)}")
        if len(sentences) > SHOWN:
            say(err, f"[red]refused[/] {asset}: and more like these; all findings lie in {home() / 'quarantine'}.")
    for asset, checks in outcome.doubtful.items():
        for check in checks:
            say(err, f"[yellow]doubtful[/] {asset}: not all {plain(check)}; published all the same")
    say(out, f"published build {outcome.build_id} ({window} made anew)")
    return PUBLISHED_WITH_REFUSALS if outcome.refused else 0


def _check_days(first: date, last: date) -> None:
    asked, today = f"--from {first} --to {last}", datetime.now(UTC).date()
    if last < first:
        raise JevonsError(
            "The days are the wrong way round", asked, "the last day is before the first", "swap them",
        )
    if last >= today:
        raise JevonsError(
            "That day is not over", asked, f"in UTC it is {today} now, and only whole days are counted",
            f"ask for days up to {today - timedelta(days=1)}",
        )


def _check_sources() -> None:
    """A home that cannot be read, or that reads nothing, is said at once and not after the engine has started."""
    from pipelines.sources import all_sources

    settings = load(home())
    known = [source.name for source in all_sources() if not source.always]
    if not any(settings.enabled(name) for name in known):
        raise JevonsError(
            "There is nothing to read", str(home() / FILE), "no source is switched on",
            f"uncomment the ones you have ({', '.join(known)}), then ask `jevons doctor` whether they can be read",
        )


def _days(days: list[str]) -> str:
    return days[0] if len(days) == 1 else f"{len(days)} days ({days[0]} to {days[-1]})"
