-- One row per run: its jobs, its GPU seconds and its energy, that of failed and superseded jobs apart.

with

jobs as (select * from {{ ref('int_gpu_job__known') }} where lifecycle_stage <> 'inference'),

energy as (select * from {{ ref('int_gpu_job__energy') }}),

runs as (

    select
        run_id,
        {%- for name in ['workflow_id', 'model_id', 'lifecycle_stage', 'experiment_id'] %}
        case when count(distinct {{ name }}) <= 1 then min({{ name }}) else 'several' end as {{ name }},
        {%- endfor %}
        max(case when is_last_of_run then state end) as state,
        max(superseded_by) as superseded_by,
        min(started_at_utc) as started_at_utc,
        max(ended_at_utc) as ended_at_utc,
        count(*) as job_count,
        sum(case when is_failed then 1 else 0 end) as failed_job_count,
        sum(missing_day_count) as missing_day_count,
        -- tokens of a part of the work would make a token look dearer than it was
        case when sum(case when output_tokens is null and not is_failed then 1 else 0 end) = 0
            then sum(output_tokens) end as output_tokens
    from jobs
    group by run_id

),

used as (

    select
        jobs.run_id,
        sum(energy.gpu_seconds) as gpu_seconds,
        sum(case when energy.energy_kwh is not null then energy.gpu_seconds else 0 end) as known_gpu_seconds,
        sum(energy.energy_kwh_low) as energy_kwh_low,
        sum(energy.energy_kwh) as energy_kwh,
        sum(energy.energy_kwh_high) as energy_kwh_high,
        sum(case
            when jobs.is_failed or jobs.superseded_by is not null then energy.energy_kwh
            when energy.energy_kwh is not null then 0
        end) as lost_energy_kwh,
        case when count(distinct energy.energy_method) <= 1 then min(energy.energy_method) else 'several' end
            as energy_method,
        max(energy.evidence_tier) as evidence_tier
    from jobs
    inner join energy on jobs.job_id = energy.job_id
    group by jobs.run_id

),

totals as (

    select
        runs.*,
        used.gpu_seconds, used.known_gpu_seconds, used.energy_kwh_low, used.energy_kwh, used.energy_kwh_high,
        used.lost_energy_kwh, used.energy_method, used.evidence_tier
    from runs
    left join used on runs.run_id = used.run_id

)

select * from totals
