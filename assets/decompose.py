"""`jevons decompose`: why one period used more or less than another.

The question itself belongs to assets.decomposition, the arithmetic to dbt_project/macros.
"""

from datetime import datetime
from typing import Annotated

import typer

from assets.terminal import DAYS, ask
from pipelines.settings import home


def decompose(
    first: Annotated[datetime, typer.Option("--from", formats=DAYS, help="First UTC day of the period to explain.")],
    last: Annotated[datetime, typer.Option("--to", formats=DAYS, help="Its last UTC day, included.")],
    against_first: Annotated[
        datetime | None,
        typer.Option("--against-from", formats=DAYS, help="First day to compare with; by default as many days before."),
    ] = None,
    against_last: Annotated[
        datetime | None, typer.Option("--against-to", formats=DAYS, help="Its last day, included."),
    ] = None,
    measure: Annotated[str, typer.Option(help="energy_kwh, location_kgco2e or market_kgco2e.")] = "energy_kwh",
    perimeter: Annotated[str, typer.Option(help="organisation, unit/ID, team/ID or workflow/ID.")] = "organisation",
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, for spreadsheets.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Says why a period used more or less than another: what each factor changed, adding up to the whole change.

    Days, activity, mix of teams, workflows and models, calls per outcome, tokens per call, energy per token, overhead,
    the grid: the arithmetic and the words of `fct_decomposition_monthly` (LMDI-I), for any two periods. It is an
    accounting split: it says what changed together, not what caused what.

    Example: `jevons decompose --from 2026-08-01 --to 2026-08-29 --perimeter team/claims`
    """
    from assets.decomposition import before, decomposition_query
    from pipelines.snapshot import current

    if (against_first is None) != (against_last is None):
        raise typer.BadParameter("give --against-from and --against-to together")
    compared = first.date(), last.date()
    base = (against_first.date(), against_last.date()) if against_first and against_last else before(*compared)
    ask(decomposition_query(current(home()), base, compared, measure, perimeter), csv, json)
