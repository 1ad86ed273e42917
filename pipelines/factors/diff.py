"""What another factor set would change: the published activity, multiplied by the factors of either set.

Nothing is restated here: which set is in force is said in dbt_project.yml.
"""

from collections.abc import Iterable
from pathlib import Path

from pipelines.declared import SPEND, Model, Provider
from pipelines.errors import JevonsError
from pipelines.settings import load
from pipelines.snapshot import current
from pipelines.snapshot.layout import quoted_text

COUNTS = {
    "request": "call_count", "input_token": "input_tokens", "cached_input_token": "cached_input_tokens",
    "cache_write_token": "cache_write_input_tokens", "output_token": "output_tokens", "image": "image_count",
    "audio_second": "audio_seconds", "video_second": "video_seconds", "nano_usd": "cost_nano_usd",
}
KINDS_OF_USE = [count for count in COUNTS.values() if count != "cost_nano_usd"]
TOKENS = [count for count in COUNTS.values() if count.endswith("_tokens")]
SIDES = ("old", "new")
# decimal(20, 0) by decimal(18, 18) is exact; a row is paid less than a hundred billion dollars
NANO_USD = "cast(cast(cost_usd as decimal(20, 9)) * 1000000000 as decimal(20, 0))"


def diff_query(home: Path, old: str, new: str) -> str:
    """SQL for the published build: one row per model and a total; energies in kWh, from `old` to `new`.

    A factor is chosen for each day as the ledger does, among those of one set. Where the set has none in force, or
    none for a kind that was used, the row's energy is unknown: it is in no kWh, and its calls and tokens are in
    `old_unknown_*` or `new_unknown_*`. `change_kwh` is the change of what is known, and each row's part of it is in
    one of three columns: `by_activity_kwh` where only one of the sets knows it, so that activity enters or leaves the
    known; `by_method_kwh` where its factor is made in another way (tier or method); else `by_factor_kwh`.

    Raises:
        JevonsError: nothing is published, the settings cannot be read, or a set is not among the frozen ones.
    """
    sets = "select distinct factor_set from dim_factor where factor_set <> 'site' order by all"
    with current(home).open(sets) as answer:
        known = [name for name, in answer.fetchall()]
    for name in (old, new):
        if name not in known:
            raise JevonsError(
                "The factor sets were not compared", name, "no factor of the published build is of such a set",
                f"name two of {', '.join(known)}",
            )
    settings = load(home)
    return comparison(old, new, settings.providers, settings.models)


def comparison(old: str, new: str, providers: Iterable[Provider] = (), models: Iterable[Model] = ()) -> str:
    """The SQL alone, whose sets must be there; providers and models as the organisation declares them."""
    declared = _rows({"provider": "varchar", "gpu_model": "varchar", "is_by_spend": "boolean"}, (
        (p.provider, p.gpu_model or "", str(p.energy_from == SPEND)) for p in providers))
    classes = _rows({"model_id": "varchar", "size_class": "varchar"}, (
        (f"{m.provider}/{m.model}", m.size_class) for m in models))
    tokens = " + ".join(f"coalesce({name}, 0)" for name in TOKENS)
    energies = ", ".join(f"{_energy(side)} as {side}_kwh" for side in SIDES)
    unknown = ", ".join(
        f"sum(case when {side}_is_use and {side}_kwh is null then {what} else 0 end) as {side}_unknown_{name}"
        for side in SIDES for what, name in (("calls", "call_count"), ("tokens", "tokens")))
    parts = ", ".join(f"{_sum(f'case when why = {quoted_text(why)} then change_kwh else 0 end')} as by_{why}_kwh"
                      for why in ("activity", "factor", "method"))
    return f"""
        with declared as ({declared}),
        classes as ({classes}),
        activity as (
            select usage_date, provider, model_id, serving_mode, {", ".join(KINDS_OF_USE)},
                {NANO_USD} as cost_nano_usd, {tokens} as tokens
            from fct_footprint_daily
            where energy_line = 'direct' and coalesce(gpu_seconds, 0) = 0
                and coalesce(gap_reason, '') not in ('metered_elsewhere', 'no_meter')
                and coalesce(factor_id, '') not in (select factor_id from dim_factor where provider = 'hardware')
        ),
        active as (
            select distinct usage_date, provider as caller, model_id, coalesce(declared.gpu_model, '') as on_gpu_model,
                coalesce(is_by_spend, false) as is_by_spend, coalesce(size_class, '') as size_class
            from activity left join declared using (provider) left join classes using (model_id)
        ),
        factors as (
            select * from dim_factor
            where factor_set in ({quoted_text(old)}, {quoted_text(new)}) and quarantine_reason is null
        ),
        candidates as (
            select * from active inner join factors on model_id = factors.provider || '/' || model_name
            where coalesce(gpu_model, on_gpu_model) = on_gpu_model
                and (factor_set <> 'disclosures' or correlation_group = 'supplier:' || caller)
            union all
            select * from active inner join factors on size_class = model_name and factors.provider = 'size_class'
            union all
            select * from active inner join factors on is_by_spend and factors.provider = 'spend'
        ),
        ranked as (
            select *, row_number() over (
                partition by usage_date, caller, model_id, factor_set
                order by evidence_tier, valid_from desc, factor_id) as rung
            from candidates
            where usage_date >= valid_from and usage_date < coalesce(valid_to, date '9999-12-31')
        ),
        energies as (
            select activity.model_id, coalesce(activity.call_count, 0) as calls, activity.tokens, {energies},
                {", ".join(f"{_is_use(side)} as {side}_is_use" for side in SIDES)},
                (old.method, old.evidence_tier) is not distinct from (new.method, new.evidence_tier) as is_one_method
            from activity
            {_join("old", old)}
            {_join("new", new)}
        ),
        changes as (
            select *, coalesce(new_kwh, 0) - coalesce(old_kwh, 0) as change_kwh,
                case when (old_kwh is null) <> (new_kwh is null) then 'activity'
                    when is_one_method then 'factor' else 'method' end as why
            from energies
            where old_is_use or new_is_use
        )
        select coalesce(model_id, 'all models') as model_id,
            {", ".join(f"{_sum(name)} as {name}" for name in ("old_kwh", "new_kwh", "change_kwh"))},
            {parts}, {unknown}
        from changes
        group by rollup (model_id)
        order by model_id is null, abs(sum(change_kwh)) desc, model_id
    """


def _energy(side: str) -> str:
    """kWh of a row by one set, as `int_energy__estimated` has it: null as soon as a kind that was used has no rule."""
    factors = {kind: f"{side}.kwh_per_{kind}" for kind in COUNTS}
    factors["output_token"] = (
        f"case when serving_mode = 'batch' then cast({side}.kwh_per_output_token * {side}.batch_output_ratio "
        f"as decimal(18, 18)) else {side}.kwh_per_output_token end")
    energy = " + ".join(
        f"case when coalesce({count}, 0) <= 0 then 0 else cast({count} as decimal(20, 0)) * {factors[kind]} end"
        for kind, count in COUNTS.items())
    return f"case when {_is_use(side)} then {energy} end"


def _is_use(side: str) -> str:
    """Whether a row is a use by one set: a bill alone is none, unless the set reckons use from it."""
    counts = " + ".join(f"coalesce({count}, 0)" for count in KINDS_OF_USE)
    return f"({counts} > 0 or coalesce({side}.kwh_per_nano_usd * cost_nano_usd, 0) > 0)"


def _join(side: str, factor_set: str) -> str:
    """The factor that one set has in force on the day of a row, if any."""
    return f"""left join ranked as {side}
                on {side}.rung = 1 and {side}.factor_set = {quoted_text(factor_set)}
                and activity.usage_date = {side}.usage_date and activity.provider = {side}.caller
                and activity.model_id = {side}.model_id"""


def _sum(name: str) -> str:
    return f"cast(sum({name}) as decimal(38, 9))"


def _rows(columns: dict[str, str], rows: Iterable[tuple[str, ...]]) -> str:
    """A table of text that was declared; it has its columns also where nothing was."""
    typed = [f"cast(null as {kind}) as {name}" for name, kind in columns.items()]
    selects = [f"select {', '.join(typed)} where false"]
    for row in rows:
        values = [f"cast({quoted_text(value)} as {kind})" for value, kind in zip(row, columns.values(), strict=True)]
        selects.append(f"select {', '.join(values)}")
    return " union all ".join(selects)
