"""What another factor set would change: the published activity, multiplied by the factors of either set.

Nothing is restated here: which set is in force is said in dbt_project.yml.
"""

from pathlib import Path

from pipelines.errors import JevonsError
from pipelines.snapshot import current
from pipelines.snapshot.layout import quoted_text

COUNTS = {
    "request": "call_count", "input_token": "input_tokens", "cached_input_token": "cached_input_tokens",
    "cache_write_token": "cache_write_input_tokens", "image": "image_count", "audio_second": "audio_seconds",
    "video_second": "video_seconds",
}


def diff_query(home: Path, old: str, new: str) -> str:
    """SQL for the published build: one row per model and a total; energies in kWh, from `old` to `new`.

    The change of each model is in one of three columns: `by_activity_kwh` where only one of the sets has a factor for
    it, so that activity enters or leaves the known; `by_method_kwh` where its factor is made in another way (tier or
    method); else `by_factor_kwh`. They add up to `change_kwh`.

    Raises:
        JevonsError: nothing is published, or a set is not among the frozen ones.
    """
    sets = "select distinct factor_set from dim_factor where provider <> 'site' order by all"
    with current(home).open(sets) as answer:
        known = [name for name, in answer.fetchall()]
    for name in (old, new):
        if name not in known:
            raise JevonsError(
                "The factor sets were not compared", name, "no factor of the published build is of such a set",
                f"name two of {', '.join(known)}",
            )
    return comparison(old, new)


def comparison(old: str, new: str) -> str:
    """The SQL alone, whose sets must be there."""
    parts = [f"cast(coalesce({count}, 0) as decimal(20, 0)) * coalesce(factors.kwh_per_{kind}, 0)"
             for kind, count in COUNTS.items()]
    parts.append("cast(output_tokens as decimal(20, 0)) * case when serving_mode = 'batch' then cast("
                 "factors.kwh_per_output_token * batch_output_ratio as decimal(18, 18)) "
                 "else factors.kwh_per_output_token end")
    energy = " + ".join(f"sum({part})" for part in parts)
    return f"""
        with activity as (
            select model_id, serving_mode, {", ".join(f"sum({count}) as {count}" for count in COUNTS.values())},
                sum(output_tokens) as output_tokens
            from fct_footprint_daily
            where gap_reason is distinct from 'metered_elsewhere' and gpu_seconds = 0 and energy_line = 'direct'
            group by model_id, serving_mode
        ),
        factors as (
            select *, provider || '/' || model_name as model_id,
                row_number() over (partition by factor_set, provider, model_name order by evidence_tier) as rung
            from dim_factor
            where gpu_model is null and quarantine_reason is null
        ),
        energies as (
            select model_id, factor_set, min(method) as method, min(evidence_tier) as evidence_tier,
                cast({energy} as decimal(38, 9)) as energy_kwh
            from activity
            inner join factors using (model_id)
            where rung = 1 and factor_set in ({quoted_text(old)}, {quoted_text(new)})
            group by model_id, factor_set
        ),
        pairs as (
            select coalesce(a.model_id, b.model_id) as model_id, a.energy_kwh as old_kwh, b.energy_kwh as new_kwh,
                coalesce(b.energy_kwh, 0) - coalesce(a.energy_kwh, 0) as change_kwh,
                case when a.model_id is null or b.model_id is null then 'activity'
                    when (a.method, a.evidence_tier) <> (b.method, b.evidence_tier) then 'method'
                    else 'factor' end as why
            from (select * from energies where factor_set = {quoted_text(old)}) a
            full join (select * from energies where factor_set = {quoted_text(new)}) b using (model_id)
        )
        select coalesce(model_id, 'all models') as model_id, sum(old_kwh) as old_kwh, sum(new_kwh) as new_kwh,
            sum(change_kwh) as change_kwh,
            {", ".join(f"sum(case when why = '{why}' then change_kwh else 0 end) as by_{why}_kwh"
                       for why in ("activity", "factor", "method"))}
        from pairs
        group by rollup (model_id)
        order by model_id is null, abs(sum(change_kwh)) desc, model_id
    """
