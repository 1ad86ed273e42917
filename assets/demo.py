"""The demo: the sandbox organisation through the real pipeline, and a look at what came out.

The organisation is made up in `pipelines.sandbox`; nothing of it is computed here.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipelines import snapshot, units
from pipelines.errors import JevonsError
from pipelines.registry.importer import import_csv
from pipelines.registry.store import default_url, open_registry
from pipelines.sandbox import stories
from pipelines.sandbox.files import REGISTRY_KINDS, environment, write_home
from pipelines.sandbox.server import SandboxServer, serve
from pipelines.settings import FILE, load
from pipelines.sources import enabled_sources

# The last morning on which the vendor still reported the first figures.
FIRST_LOOK = stories.RESTATEMENT.last_original_as_of


@contextmanager
def prepare(home: Path, port: int = 0) -> Iterator[SandboxServer]:
    """Serves the vendors, and writes the organisation's files, registry and secrets into this process.

    Raises:
        JevonsError: the home belongs to a real organisation.
    """
    if (home / FILE).exists() and not load(home).sandbox:
        raise JevonsError(
            "The sandbox would overwrite a real organisation", str(home / FILE), "it is not marked `sandbox = true`",
            "set JEVONS_HOME to an empty folder",
        )
    with _serve(port) as server:
        write_home(home, server)
        os.environ.update({**environment(), "JEVONS_HOME": str(home)})
        fill_registry(home)
        yield server


@contextmanager
def _serve(port: int) -> Iterator[SandboxServer]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(serve(port=port))
        except OSError as error:
            raise JevonsError(
                "The sandbox cannot listen", f"127.0.0.1:{port}", error.strerror or str(error),
                "stop what is there, or give another --port",
            ) from error
        yield server


def fill_registry(home: Path) -> None:
    """Imports the registry files that the sandbox wrote; importing them again changes nothing."""
    engine = open_registry(default_url(home))
    recorded_at = datetime.combine(stories.DATA_FROM, time(), UTC)
    for kind in REGISTRY_KINDS:
        file = home / "inbox" / "registry" / f"{kind}.csv"
        result = import_csv(engine, file, kind, "sandbox", "made up for the demo", recorded_at)
        if result.refused:
            raise JevonsError("The sandbox's registry was refused", f"{kind}.csv", result.refused[0].sentence(),
                              "report this: the sandbox contradicts the registry's rules")
    engine.dispose()


def looks(home: Path, server: SandboxServer) -> Iterator[tuple[date, date]]:
    """The runs of the demo, first and last day each; moves the vendors' clock in between.

    The first time, the ledger is brought up to the day before a vendor changes its mind, and then to the end, as it
    happens to anybody who runs it daily. Later times there is nothing new to see, and one run proves it.
    """
    first = stories.DATA_FROM
    if not (home / "published" / "CURRENT").exists():
        server.set_as_of(FIRST_LOOK)
        yield first, FIRST_LOOK - timedelta(days=1)
        first = FIRST_LOOK - timedelta(days=max(source.restate_days for source in enabled_sources(load(home))))
    server.set_as_of(None)
    yield first, stories.DATA_TO - timedelta(days=1)


def show(home: Path, console: Console) -> None:
    """Prints the organisation's totals, its ceilings and its stories, and the next command to type."""
    build = snapshot.current(home)
    console.print(f"\n[bold]{build.manifest['organisation']}[/] · SANDBOX, every figure is made up · "
                  f"{build.manifest['data_from']} to {build.manifest['data_to']} · build {build.build_id}\n",
                  highlight=False)
    console.print(_teams(build))
    console.print(_ceilings(build))
    for line in _findings(build):
        console.print(f" • {line}", highlight=False)
    console.print(
        "\nNext: [bold].venv/bin/jevons dashboard[/]   (then `jevons sql --help`, `jevons dev`)\n", highlight=False,
    )


def _teams(build: snapshot.Snapshot) -> Table:
    table = Table(title="Energy by team, with its 95 % range", title_justify="left", box=None, pad_edge=False)
    for name, justify in (("team", "left"), ("kWh", "right"), ("low", "right"), ("high", "right"),
                          ("kgCO2e", "right"), ("calls", "right"), ("energy known for", "right")):
        table.add_column(name, justify=justify)
    rows = build.query("""
        select coalesce(t.team_name, f.team_id) as team, sum(energy_kwh) as kwh, sum(energy_kwh_low) as low,
            sum(energy_kwh_high) as high, sum(location_gco2e) / 1000 as kg, sum(call_count) as calls,
            sum(call_count * coverage_ratio) / nullif(sum(call_count), 0) as known
        from fct_team_daily f left join dim_team t using (team_id)
        group by 1 order by 2 desc nulls last
    """).to_pylist()
    for row in rows:
        table.add_row(
            row["team"].split(":")[0], *[units.number(row[key]) for key in ("kwh", "low", "high", "kg")],
            units.count(row["calls"]), units.percent(row["known"]),
        )
    return table


def _ceilings(build: snapshot.Snapshot) -> Table:
    table = Table(title="\nCeilings, each on its last day counted", title_justify="left", box=None, pad_edge=False)
    for name, justify in (("perimeter", "left"), ("metric", "left"), ("period", "left"), ("used", "right"),
                          ("limit", "right"), ("status", "left"), ("reached", "left")):
        table.add_column(name, justify=justify)
    for row in build.query("""
        select * from fct_ceiling_position_daily
        qualify row_number() over (partition by ceiling_id order by usage_date desc) = 1
        order by perimeter_type, perimeter_id, metric, period_start
    """).to_pylist():
        table.add_row(
            row["perimeter_id"], row["metric"], f"{row['period_start']} to {row['period_end'] - timedelta(days=1)}",
            units.number(row["used_quantity"]), units.number(row["limit_quantity"]), row["status"],
            str(row["exhaustion_date"] or "-"),
        )
    return table


def _findings(build: snapshot.Snapshot) -> Iterator[str]:
    total = build.query("""
        select sum(call_count) as calls, sum(case when attribution_method = 'orphan' then call_count end) as orphans,
            sum(case when energy_line = 'idle' then energy_kwh end) as idle, sum(energy_kwh) as kwh
        from fct_footprint_daily
    """).to_pylist()[0]
    yield f"{units.count(total['orphans'])} of {units.count(total['calls'])} calls come from keys that nobody owns"
    yield f"{units.number(total['idle'])} kWh of {units.number(total['kwh'])} kWh were used by idle GPUs"
    for row in build.query("""
        select model_id, gap_reason, sum(call_count) as calls
        from fct_gap_daily group by all having sum(call_count) > 0 order by calls desc limit 3
    """).to_pylist():
        yield (f"{units.counted(row['calls'], 'call')} of {row['model_id']}: {row['gap_reason'].replace('_', ' ')}, "
               "their energy is unknown, not zero")
    for row in build.query("""
        select source, usage_date, sum(change_total) as change from fct_restatement
        where quantity = 'output_tokens' and version > 1 group by all order by 2 limit 3
    """).to_pylist():
        yield (f"{row['source']} restated {row['usage_date']}: {units.count(row['change'])} more output tokens than "
               "first said")
    for row in build.query("""
        select usage_date, source from fct_coverage_daily where received_tables = 0 and expected_tables > 0
        order by 1 limit 3
    """).to_pylist():
        yield f"{row['source']} delivered nothing for {row['usage_date']}: that day is missing, not zero"
