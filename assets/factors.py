"""`jevons factors`: freeze, compare and fit the data that turn activity into energy.

What a factor is made of belongs to pipelines/factors.
"""

from datetime import datetime
from typing import Annotated

import typer

from assets.terminal import DAYS, ask, out
from pipelines.settings import home

factors_app = typer.Typer(
    no_args_is_help=True, help="Factors: the frozen, dated data that turn tokens, images or seconds into energy.",
)


@factors_app.command("freeze")
def freeze() -> None:
    """For developers: writes the factor data of dbt_project/seeds anew from its sources; the result is committed.

    It reads pipelines/factors/ and the installed EcoLogits package, never the network.

    Example: `jevons factors freeze`
    """
    from assets.project import FOLDER
    from pipelines.factors import freeze as write

    for path in write(FOLDER / "seeds"):
        out.print(f"wrote {path.name}")


@factors_app.command("fit-runtime")
def fit_runtime(
    valid_from: Annotated[datetime, typer.Option("--from", formats=DAYS, help="First day that it counts for.")],
) -> None:
    """Fixes what the organisation's own GPUs draw on average while they are held, for hours that no meter reads.

    It is fitted to the metered hours of the published build and counts from --from on. Days on which an earlier fit
    already counts are never changed; days from --from on have to be materialised again.

    Example: `jevons factors fit-runtime --from 2026-09-01`
    """
    from pipelines.runtime_proxies import FILE, freeze_published

    for row in freeze_published(home(), valid_from.date()):
        out.print(f"{row['gpu_model']}: {row['fitted_w']} W ({row['low_w']} to {row['high_w']}) from "
                  f"{row['metered_hours']} GPU-hours, in force from {row['valid_from']}", highlight=False)
    out.print(f"written to {FILE}", highlight=False)


@factors_app.command("diff")
def factors_diff(
    old: Annotated[str, typer.Argument(help="Factor set to start from, as `dim_factor.factor_set` names it.")],
    new: Annotated[str, typer.Argument(help="Factor set to compare with it.")],
    csv: Annotated[bool, typer.Option("--csv", help="As CSV, for spreadsheets.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Shows what another factor set would make of the published activity, model by model; changes nothing.

    Where a set has no factor in force on the day, or none for what was used, the energy is unknown, not zero: its
    calls and tokens are counted beside it.

    Example: `jevons factors diff ecologits-0.11.3 jevons-2026.11`
    """
    from pipelines.factors.diff import diff_query

    ask(diff_query(home(), old, new), csv, json)
