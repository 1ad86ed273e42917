"""The question of `jevons decompose`, asked of the published build by the arithmetic of the mart.

The arithmetic is in dbt_project/macros, options in assets.decompose; months are published as fct_decomposition_monthly.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from pipelines.errors import JevonsError
from pipelines.snapshot import Snapshot
from pipelines.snapshot.layout import quoted_text

MACROS = Path(__file__).resolve().parents[1] / "dbt_project" / "macros"
MEASURES = ("energy_kwh", "location_kgco2e", "market_kgco2e")
PERIMETERS = {  # what the published build knows of each
    "organisation": "select '' as id", "unit": "select unit_id as id from dim_team",
    "team": "select team_id as id from dim_team", "workflow": "select workflow_id as id from dim_workflow",
}
FROM_LEDGER = """
    with
    footprint as (select * from fct_footprint_daily),
    outcomes_daily as (select * from fct_outcome_daily),
    owned as (select * from dim_workflow),
    owners as (select * from dim_team),
    used_days as (select distinct usage_date from fct_organisation_daily),
    periods as ({{ periods }}),
    pairs as ({{ pairs }}),
    {{ owned_workflows('owned', 'owners') }},
    {{ days_of_periods() }},
    {{ ledger_cells() }},
    {{ achieved_outcomes('outcomes_daily') }},
    {{ decomposition() }}
    select {{ decomposition_columns('described') }} from described
"""


class _Returned(Exception):
    """What a macro returns that is not text."""


def render(template: str, **values: Any) -> str:
    """Fills in a template that calls the project's macros, as dbt does for DuckDB, but at once."""
    return _environment().from_string(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # it is SQL

    def give(value: Any) -> None:
        raise _Returned(value)

    def callable_macro(name: str, text: str) -> Callable[..., Any]:
        module = cache(lambda: environment.from_string(text).module)

        def call(*given: Any) -> Any:
            try:
                return getattr(module(), name)(*given)
            except _Returned as returned:
                return returned.args[0]

        return call

    class Adapter:
        @staticmethod
        def dispatch(name: str, _package: str) -> Callable[..., Any]:
            return environment.globals[f"default__{name}"]  # DuckDB's

    environment.globals |= {"return": give, "adapter": Adapter}
    for path in sorted(MACROS.glob("*.sql")):
        for macro in re.finditer(r"\{%-? macro (\w+).*?endmacro -?%\}", path.read_text("utf-8"), re.DOTALL):
            environment.globals[macro[1]] = callable_macro(macro[1], macro[0])
    return environment


def decomposition_query(
    snapshot: Snapshot, base: tuple[date, date], compared: tuple[date, date], measure: str, perimeter: str
) -> str:
    """SQL for the published build: what each factor changed from one period to the other.

    Args:
        base: First and last UTC day of the period that is compared with.
        compared: The same of the period that is explained.
        measure: One of MEASURES.
        perimeter: `organisation`, or a type and an id, such as `team/claims`.

    Raises:
        JevonsError: measure or perimeter is not known, or a period holds no day of the ledger.
    """
    kind, _, identity = perimeter.partition("/")
    if measure not in MEASURES:
        raise _refused(measure, "it is not measured", f"name one of {', '.join(MEASURES)}")
    there = f"select count(*) from ({PERIMETERS.get(kind, PERIMETERS['organisation'])}) where id = ?"
    if kind not in PERIMETERS or not _asked(snapshot, there, identity):
        raise _refused(perimeter, "the build knows no such perimeter",
                       "write organisation, unit/ID, team/ID or workflow/ID")
    days = "select count(*) from fct_footprint_daily where usage_date between ? and ?"
    for first, last in (compared, base):
        if first > last:
            raise _refused(f"{first} to {last}", "it ends before it begins", "name its first day first")
        if not _asked(snapshot, days, first, last):
            raise _refused(f"{first} to {last}", "no day of it is in the ledger", "name days that are")
    query = render(FROM_LEDGER, periods=_periods({"base": base, "compared": compared}), pairs=(
        "select 1 as pair_id, 'asked' as chain, 'base' as base_id, 'compared' as compared_id"))
    return f"""
        select part, factor, activity_unit, effect_quantity, effect_ratio, effect_low, effect_high, base_quantity,
            compared_quantity, base_first_date, base_last_date, is_whole, base_coverage_ratio, compared_coverage_ratio,
            gap_reason
        from ({query})
        where measure = {quoted_text(measure)} and perimeter_type = {quoted_text(kind)}
            and perimeter_id = {quoted_text(identity or kind)}
        order by abs(effect_quantity) desc nulls last, part, factor
    """


def before(first: date, last: date) -> tuple[date, date]:
    """As many days, those just before: what a period is compared with unless said otherwise."""
    return first - (last - first) - timedelta(days=1), first - timedelta(days=1)


def _asked(snapshot: Snapshot, sql: str, *params: Any) -> Any:
    with snapshot.open(sql, params) as answer:
        return answer.fetchall()[0][0]


def _periods(named: dict[str, tuple[date, date]]) -> str:
    return " union all ".join(
        f"select '{name}' as period_id, date '{first}' as first_date, date '{last}' as last_date, "
        f"(select count(*) from used_days where usage_date between date '{first}' and date '{last}') "
        f"= {(last - first).days + 1} as is_whole"
        for name, (first, last) in named.items()
    )


def _refused(where: str, why: str, fix: str) -> JevonsError:
    return JevonsError("The periods were not compared", where, why, fix)
