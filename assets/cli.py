"""The `jevons` command: words in, one obvious next step out.

Every command hands over to the room that does the work; imports are late, so that `jevons sql` answers at once.
"""

import os
import sys
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.console import Console

from pipelines.errors import JevonsError
from pipelines.registry.commands import ceilings_app, registry_app
from pipelines.settings import home

PUBLISHED_WITH_REFUSALS = 3
app = typer.Typer(
    name="jevons", no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False,
    help="The ledger of an organisation's AI energy: per workflow, per team, per outcome, against collective ceilings.",
)
app.add_typer(registry_app, name="registry")
app.add_typer(ceilings_app, name="ceilings")
sandbox_app = typer.Typer(no_args_is_help=True, help="A made-up organisation with its vendors, for trying Jevons out.")
app.add_typer(sandbox_app, name="sandbox")
factors_app = typer.Typer(no_args_is_help=True, help="Factor sets: the frozen data that turn activity into energy.")
app.add_typer(factors_app, name="factors")

Day = Annotated[datetime, typer.Option(formats=["%Y-%m-%d"])]
out, err = Console(), Console(stderr=True)


def main() -> None:
    """Runs the command; a failure that a person can mend is one sentence and exit code 1."""
    try:
        app()
    except JevonsError as error:
        err.print(f"[bold red]Error:[/] {_plain(str(error))}", highlight=False)
        sys.exit(1)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


@app.command()
def init() -> None:
    """Writes a commented `jevons.toml` into JEVONS_HOME; nothing that exists is overwritten."""
    from pipelines.starter import write_starter

    for path in write_starter(home()):
        out.print(f"wrote {path}")
    out.print("\nNext: edit it, export the secrets named in .env.example, then run [bold]jevons doctor[/].")


@app.command()
def doctor() -> None:
    """Says in one sentence per source whether it can be read, and what to mend if not."""
    from assets.doctor import examine

    healthy = True
    for name, ok, sentence in examine(home()):
        healthy &= ok
        out.print(f"[{'green' if ok else 'red'}]{'ok  ' if ok else 'mend'}[/] {name:18} {_plain(sentence)}", highlight=False)
    raise typer.Exit(0 if healthy else 1)


@app.command()
def materialize(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First UTC day, included.")],
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last UTC day, included; by default the first.")] = None,
) -> None:
    """Fetches, gates, models and publishes the days asked for. Exit code 3: published, but something was refused.

    Example: `jevons materialize --from 2026-08-01 --to 2026-08-31`
    """
    raise typer.Exit(_materialize(first.date(), (last or first).date()))


def _materialize(first: date, last: date) -> int:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from assets.run import prepare_environment

    prepare_environment()
    from assets.run import run
    from pipelines.settings import load
    from pipelines.window import Window

    if last < first:
        raise JevonsError("The days are the wrong way round", f"--from {first} --to {last}", "the last day is before the first", "swap them")
    load(home())  # a missing jevons.toml is said at once, not after the engine has started
    columns = (TextColumn("{task.description:40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, disable=not err.is_terminal) as progress:
        task = progress.add_task("starting", total=None)

        def tell(step: str, done: int, total: int) -> None:
            progress.update(task, description=step[-40:], completed=done, total=total)
            if not err.is_terminal:
                err.print(f"{done}/{total} {step}", highlight=False)

        outcome = run(Window.of_days(first, last), tell)
        progress.update(task, description="published")
    for asset, days in outcome.missing.items():
        err.print(f"[yellow]missing[/] {asset}: not delivered for {_days(days)}", highlight=False)
    for asset, sentences in outcome.refused.items():
        for sentence in sentences[:5]:
            err.print(f"[red]refused[/] {asset}: {_plain(sentence)}", highlight=False)
    out.print(f"published build {outcome.build_id} ({first} to {last} made anew)", highlight=False)
    return PUBLISHED_WITH_REFUSALS if outcome.refused else 0


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
    from pipelines.sqlcommand import run_sql

    answer = run_sql(home(), statement, "csv" if csv else "json" if json else "table", out.width)
    for piece in answer.pieces:
        sys.stdout.write(piece)
    err.print(f"build {answer.build_id}", style="dim", highlight=False)


@app.command()
def verify() -> None:
    """Recomputes every hash of the published build and compares it with the manifest."""
    from pipelines import snapshot

    build = snapshot.current(home())
    problems = snapshot.verify(build)
    for problem in problems:
        err.print(f"[red]{_plain(problem)}[/]", highlight=False)
    if not problems:
        out.print(f"build {build.build_id}: every file is as it was published", highlight=False)
    raise typer.Exit(1 if problems else 0)


@app.command()
def dashboard(port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501) -> None:
    """Opens the pages (Streamlit) on the published build."""
    from assets.project import ROOT

    os.environ["JEVONS_HOME"] = str(home())
    os.chdir(ROOT)
    os.execv(sys.executable, [
        sys.executable, "-m", "streamlit", "run", "dashboards/app.py", "--server.port", str(port),
        "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false", "--server.headless", "true",
    ])


@app.command()
def dev() -> None:
    """Opens Dagster with its daily schedule (`dg dev`)."""
    from assets.run import prepare_environment

    prepare_environment()
    from assets.project import ROOT

    os.chdir(ROOT)
    dg = str(Path(sys.executable).with_name("dg"))
    os.execv(dg, [dg, "dev"])


@factors_app.command("freeze")
def freeze() -> None:
    """Writes the factor seeds anew from the installed EcoLogits; a developer's command, its result is committed."""
    from assets.project import FOLDER
    from pipelines.factors import freeze as write

    for path in write(FOLDER / "seeds"):
        out.print(f"wrote {path.name}")


@sandbox_app.command("serve")
def sandbox_serve(port: Annotated[int, typer.Option(help="Port on this machine.")] = 8700) -> None:
    """Writes the made-up organisation's files into JEVONS_HOME and serves its vendors on loopback until interrupted."""
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
    """Runs the whole pipeline on the sandbox organisation and prints what it finds."""
    from assets.demo import looks, prepare, show

    with prepare(home()) as server:
        for first, last in looks(home(), server):
            _materialize(first, last)
    show(home(), out)


if __name__ == "__main__":
    main()
