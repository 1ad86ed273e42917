"""The `jevons` command: words in, one obvious next step out.

Every command hands over to the room that does the work; imports are late, so that `jevons sql` answers at once.
"""

import os
import shlex
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from assets.alerts import alerts_app
from assets.decompose import decompose
from assets.factors import factors_app
from assets.meters import meters_app
from assets.process import leave
from assets.terminal import DAYS, ask, err, out, plain, say
from pipelines.errors import JevonsError
from pipelines.gate import simulation_command
from pipelines.registry.commands import ceilings_app, registry_app
from pipelines.registry.review_commands import ratchet_app, reviews_app
from pipelines.settings import home

# The last day of each ceiling that the build has counted; ends of periods are told as their last day.
CEILINGS_STATUS = """
    select ceiling_id, period_end - 1 as last_day, status, round(limit_quantity, 1) as limit_quantity,
        round(used_low, 1) as used_low, round(used_quantity, 1) as used, round(used_high, 1) as used_high,
        round(forecast_low, 1) as forecast_low, round(forecast_quantity, 1) as forecast,
        round(forecast_high, 1) as forecast_high, exhaustion_date_low as earliest, exhaustion_date as runs_out_on,
        exhaustion_date_high as latest
    from fct_ceiling_position_daily
    qualify row_number() over (partition by ceiling_id order by usage_date desc) = 1
    order by period_end desc, perimeter_type = 'organisation' desc, perimeter_id, metric
"""

app = typer.Typer(
    name="jevons", no_args_is_help=True, rich_markup_mode="markdown", pretty_exceptions_enable=False,
    help="The ledger of an organisation's AI energy: per workflow, per team, per outcome, against collective ceilings."
    "\n\nEverything of one organisation lies in the folder that the environment variable JEVONS_HOME names (by default"
    " `data/`).\n\nTo try it: `jevons demo`, then `jevons dashboard`. For your own: `jevons init`,"
    " `jevons registry import`, `jevons doctor`, `jevons materialize`.",
)
app.add_typer(registry_app, name="registry")
ceilings_app.command("simulate")(simulation_command.command)
app.add_typer(ceilings_app, name="ceilings")
app.add_typer(reviews_app, name="reviews")
app.add_typer(ratchet_app, name="ratchet")
sandbox_app = typer.Typer(no_args_is_help=True, help="A made-up organisation with its vendors, to try Jevons on.")
app.add_typer(sandbox_app, name="sandbox")
app.add_typer(factors_app, name="factors")
app.add_typer(alerts_app, name="alerts")
app.add_typer(meters_app, name="meters")
app.command()(decompose)
gate_app = typer.Typer(no_args_is_help=True, help="Whether a call may go ahead, by what is left of the ceilings.")
app.add_typer(gate_app, name="gate")


def main() -> None:
    """Runs the command; a failure that a person can mend is one sentence and exit code 1."""
    try:
        app()
    except JevonsError as error:
        say(err, f"[bold red]Error:[/] {plain(str(error))}")
        leave(1)
    except SystemExit as ended:
        leave(ended.code)
    except Exception as error:
        from pipelines.landing import is_full

        if not is_full(error):  # Dagster's storage and the registry lie on the same disk as the records
            raise
        full = JevonsError(
            "The command was not finished", str(home()), "no space is left on that disk",
            "free some space and run it again; what was landed and published before is untouched",
        )
        say(err, f"[bold red]Error:[/] {plain(str(full))}")
        leave(1)


@app.command()
def init() -> None:
    """Writes the settings of a new organisation, a commented `jevons.toml`, into JEVONS_HOME.

    Nothing that exists is overwritten.

    Example: `JEVONS_HOME=/srv/jevons jevons init`
    """
    from pipelines.starter import write_starter

    for path in write_starter(home()):
        out.print(f"wrote {path}")
    out.print("\nNext: edit it, export the secrets named in .env.example, then run [bold]jevons doctor[/].")


@app.command()
def doctor() -> None:
    """Says of settings, sources and the published build, in one sentence each, whether they work and what to mend.

    Every source that is switched on is asked for one small thing; nothing is fetched or changed. Exit code 1 if there
    is something to mend.

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
    """Fetches these days' records from the sources, checks them, and publishes the ledger with these days made anew.

    Running a day again is safe: it is replaced as a whole. Other days stay as they are. `jevons dev` has a schedule
    that does this each morning.

    Exit code 0: published. 3: published, but some source was out of reach or something was refused. 1: nothing new
    was published.

    Example: `jevons materialize --from 2026-08-01 --to 2026-08-31`
    """
    from assets.commanded import materialize_days

    raise typer.Exit(materialize_days(first.date(), (last or first).date()))


@app.command()
def rebuild() -> None:
    """Makes all landed days anew from raw/ and publishes them; asks no vendor.

    For an upgrade of Jevons that changed tables (`materialize` says so), or a change of `jevons.toml` that is to count
    for past days, too. The new warehouse is made beside the old one, so it takes room for both, and replaces it only
    when it is whole. Readers have the published build throughout. Interrupted, it loses nothing: run it again.
    Figures of past days become what today's models, settings and factors make of their records.

    Exit codes are those of `materialize`.

    Example: `jevons rebuild`
    """
    from assets.commanded import rebuild_days

    raise typer.Exit(rebuild_days())


@app.command()
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT, DESCRIBE, SUMMARIZE or EXPLAIN.")],
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, for spreadsheets.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Answers a question about the published figures, in SQL (DuckDB's); nothing can be changed.

    `show tables` lists the tables, `describe fct_team_daily` the columns of one. The id of the build that answered goes
    to standard error, so that a pipe holds the answer only.

    Example: `jevons sql "select team_id, sum(energy_kwh) from fct_team_daily group by 1 order by 2 desc"`
    """
    ask(statement, csv, json)


@app.command()
def verify() -> None:
    """Checks for an auditor that every published file is still as it was published.

    Every hash is computed again and compared with the manifest of the build; exit code 1 if one differs.

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
def otlp(
    host: Annotated[str, typer.Option(help="Address to listen at; 0.0.0.0 is every one there is.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 4318,
) -> None:
    """Receives OpenTelemetry traces and metrics (OTLP over HTTP, protobuf or JSON) for the source `otel`, until Ctrl-C.

    Model calls are written where `path` of [sources.otel] looks for them, without prompts and without people; metrics
    only with [sources.otel_metrics]. What is acknowledged is on the disk. It asks for no key: listen at 127.0.0.1, or
    stand a proxy before it.

    Example: `jevons otlp --port 4318`, and for what is traced `OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318`
    """
    from pipelines.otlp.receiver import serve
    from pipelines.settings import load

    serve(load(home()), host, port, lambda url: say(out, f"receives at {url}; stop it with Ctrl-C"))


@app.command()
def dashboard(port: Annotated[int, typer.Option(help="Port on this machine.")] = 8501) -> None:
    """Serves the pages (Streamlit) on the published build at this machine's port, until Ctrl-C.

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
    """Serves Dagster at this machine's port, until Ctrl-C: the graph of assets, every run, schedule and sensor.

    While this runs, the schedule materialises each morning, and the sensor tells of ceilings that changed; both are
    switched on there, under Automation.

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


@gate_app.command("check")
def gate_check(
    workflow: Annotated[str, typer.Option("--workflow", help="Id of the workflow that is about to call a model.")],
    provider: Annotated[
        str | None, typer.Option("--provider", help="Who runs the model, as the ledger names it; without it,"
                                 " ceilings and rules of a service do not count."),
    ] = None,
    calls: Annotated[int, typer.Option("--calls", min=0, help="How many calls; 0 only asks and counts none.")] = 1,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Answers allow, slow or deny with a reason, for calls that are about to be made.

    Essential work always passes. Other work stops where a ceiling around its workflow is used up. What is allowed or
    slowed is counted until a build has seen the day; what is denied is recorded under `gate/denied/` in JEVONS_HOME.
    Without a gate file to trust, `[gate] fail` in `jevons.toml` decides.

    Exit code 0: allow. 4: slow. 5: deny. 1: the settings cannot be read.

    Example: `jevons gate check --workflow call-notes --provider openai --json`
    """
    from datetime import UTC

    from pipelines.gate.command import Question, check
    from pipelines.settings import gate_key

    raise typer.Exit(check(home(), Question(workflow, calls, json, provider), datetime.now(UTC), gate_key()))


@ceilings_app.command("status")
def ceilings_status(
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, for spreadsheets.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Shows where each ceiling stands in the published build: used, forecast, and on which day it runs out.

    Figures are rounded to a tenth of the metric's unit, low and high are the ends of their ranges, and an empty day
    means: not before the period ends. `fct_ceiling_position_daily` holds every day, with all digits.

    Example: `jevons ceilings status`
    """
    ask(CEILINGS_STATUS, csv, json)


@sandbox_app.command("serve")
def sandbox_serve(port: Annotated[int, typer.Option(help="Port on this machine.")] = 8700) -> None:
    """Writes the made-up organisation's files into JEVONS_HOME and serves its vendors on this machine, until Ctrl-C.

    It prints what to export and to run in another terminal, to try `jevons materialize` and `jevons dev` without keys.

    Example: `JEVONS_HOME=/tmp/sandbox jevons sandbox serve --port 8700`
    """
    from assets.demo import prepare
    from pipelines.sandbox.files import environment

    with prepare(home(), port=port) as server:
        out.print(f"sandbox at {server.url}, files in {home()}; stop it with Ctrl-C. In another terminal:")
        for name, value in {"JEVONS_HOME": str(home().resolve()), **environment()}.items():
            say(out, f"  export {name}={plain(shlex.quote(value))}")
        out.print("  jevons materialize --from 2026-06-01 --to 2026-06-30", highlight=False)
        with suppress(KeyboardInterrupt):
            Event().wait()


@app.command()
def demo() -> None:
    """Runs the whole pipeline on a made-up organisation, about two minutes, and prints what it finds.

    It writes into JEVONS_HOME, and refuses a folder that holds a real organisation.

    Example: `JEVONS_HOME=/tmp/demo jevons demo`
    """
    from assets.commanded import materialize_days
    from assets.demo import looks, prepare, show

    with prepare(home()) as server:
        for first, last in looks(home(), server):
            materialize_days(first, last)
    show(home(), out)


if __name__ == "__main__":
    main()
