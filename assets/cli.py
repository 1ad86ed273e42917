"""The `jevons` command: words in, one obvious next step out.

Every command hands over to the room that does the work; imports are late, so that `jevons sql` answers at once.
"""

import os
import sys
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from assets.factors import factors_app
from assets.terminal import DAYS, ask, err, out, plain, say
from pipelines.errors import JevonsError
from pipelines.registry.commands import ceilings_app, registry_app
from pipelines.settings import home

PUBLISHED_WITH_REFUSALS = 3
SHOWN = 3  # sentences of one table
app = typer.Typer(
    name="jevons", no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False,
    help="The ledger of an organisation's AI energy: per workflow, per team, per outcome, against collective ceilings.",
)
app.add_typer(registry_app, name="registry")
app.add_typer(ceilings_app, name="ceilings")
sandbox_app = typer.Typer(no_args_is_help=True, help="A made-up organisation with its vendors, for trying Jevons out.")
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(factors_app, name="factors")


def main() -> None:
    """Runs the command; a failure that a person can mend is one sentence and exit code 1."""
    try:
        app()
    except JevonsError as error:
        say(err, f"[bold red]Error:[/] {plain(str(error))}")
        sys.exit(1)


@app.command()
def init() -> None:
    """Writes a commented `jevons.toml` into JEVONS_HOME; nothing that exists is overwritten.

    Example: `JEVONS_HOME=/srv/jevons jevons init`
    """
    from pipelines.starter import write_starter

    for path in write_starter(home()):
        out.print(f"wrote {path}")
    out.print("\nNext: edit it, export the secrets named in .env.example, then run [bold]jevons doctor[/].")


@app.command()
def doctor() -> None:
    """Says in one sentence per source whether it can be read, and what to mend; exit code 1 if there is something.

    Example: `jevons doctor`
    """
    from assets.doctor import examine

    healthy = True
    for name, ok, sentence in examine(home()):
        healthy &= ok
        colour, verdict = ("green", "ok") if ok else ("red", "mend")
        say(out, f"[{colour}]{verdict:4}[/] {name:18} {plain(sentence)}")
    raise typer.Exit(0 if healthy else 1)


@app.command()
def materialize(
    first: Annotated[datetime, typer.Option("--from", formats=DAYS, help="First UTC day, included.")],
    last: Annotated[
        datetime | None, typer.Option("--to", formats=DAYS, help="Last UTC day, included; by default the first."),
    ] = None,
) -> None:
    """Fetches, gates, models and publishes the days asked for.

    Exit code 0: published. 3: published, but some source was out of reach or something was refused. 1: nothing new
    was published.

    Example: `jevons materialize --from 2026-08-01 --to 2026-08-31`
    """
    raise typer.Exit(_materialize(first.date(), (last or first).date()))


def _materialize(first: date, last: date) -> int:
    from assets.progress import Progress
    from pipelines.window import Window

    _check_days(first, last)
    _check_sources()
    from assets.instance import prepare_environment

    prepare_environment()
    with Progress(err) as progress:
        progress.tell("starting", 0, 0)
        from assets.run import run

        outcome = run(Window.of_days(first, last), progress.tell)
    for asset, days in outcome.missing.items():
        say(err, f"[yellow]missing[/] {asset}: not delivered for {_days(days)}")
    for asset, sentences in outcome.refused.items():
        for sentence in sentences[:SHOWN]:
            say(err, f"[red]refused[/] {asset}: {plain(sentence)}")
        if len(sentences) > SHOWN:
            say(err, f"[red]refused[/] {asset}: and more like these; all findings lie in {home() / 'quarantine'}.")
    say(out, f"published build {outcome.build_id} ({first} to {last} made anew)")
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
    from pipelines.settings import FILE, load
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


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT, DESCRIBE, SUMMARIZE or EXPLAIN.")],
    csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Asks the published build, read-only; the build id goes to standard error.

    Example: `jevons sql "select team_id, sum(energy_kwh) from fct_team_daily group by 1 order by 2 desc"`
    """
    ask(statement, csv, json)


@app.command()
def verify() -> None:
    """Recomputes every hash of the published build and compares it with the manifest; exit code 1 if one differs.

    Example: `jevons verify`
    """
    from pipelines import snapshot

    build = snapshot.current(home())
    problems = snapshot.verify(build)
    for problem in problems:
        err.print(f"[red]{plain(problem)}[/]", highlight=False)
    if not problems:
        out.print(f"build {build.build_id}: every file is as it was published", highlight=False)
    raise typer.Exit(1 if problems else 0)


@app.command()
def dashboard(port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501) -> None:
    """Opens the pages (Streamlit) on the published build.

    Example: `jevons dashboard --port 8502`
    """
    from assets.project import ROOT

    os.environ["JEVONS_HOME"] = str(home())
    os.chdir(ROOT)
    os.execv(sys.executable, [
        sys.executable, "-m", "streamlit", "run", "dashboards/app.py", "--server.port", str(port),
        "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false", "--server.headless", "true",
    ])


@app.command()
def dev(port: Annotated[int, typer.Option(help="Port on this machine.")] = 3000) -> None:
    """Opens Dagster (`dg dev`): the graph, every run, and the daily schedule, which is switched on there.

    Example: `jevons dev --port 3001`
    """
    from assets.instance import prepare_environment
    from assets.project import ROOT

    prepare_environment()
    # Dagster then says that it does not use this folder's dagster.yaml: it uses the copy, beside the runs
    say(err, f"runs, schedules and logs are kept in {os.environ['DAGSTER_HOME']}")
    os.environ.setdefault("VIRTUAL_ENV", sys.prefix)  # dg warns where it is started without an activated environment
    os.chdir(ROOT)
    dg = str(Path(sys.executable).with_name("dg"))
    os.execv(dg, [dg, "dev", "--host", "127.0.0.1", "--port", str(port)])


@sandbox_app.command("serve")
def sandbox_serve(port: Annotated[int, typer.Option(help="Port on this machine.")] = 8700) -> None:
    """Writes the made-up organisation's files into JEVONS_HOME and serves its vendors on loopback until interrupted.

    Example: `JEVONS_HOME=/tmp/sandbox jevons sandbox serve --port 8700`
    """
    from assets.demo import prepare
    from pipelines.sandbox.files import environment

    with prepare(home(), port=port) as server:
        out.print(f"sandbox at {server.url}, files in {home()}; stop it with Ctrl-C. In another terminal:")
        for name, value in environment().items():
            out.print(f"  export {name}={value}", highlight=False)
        out.print("  jevons materialize --from 2026-06-01 --to 2026-06-30", highlight=False)
        with suppress(KeyboardInterrupt):
            Event().wait()


@app.command()
def demo() -> None:
    """Runs the whole pipeline on the sandbox organisation and prints what it finds.

    Example: `JEVONS_HOME=/tmp/demo jevons demo`
    """
    from assets.demo import looks, prepare, show

    with prepare(home()) as server:
        for first, last in looks(home(), server):
            _materialize(first, last)
    show(home(), out)


if __name__ == "__main__":
    main()
