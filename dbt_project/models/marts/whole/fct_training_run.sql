-- One row per run (training, fine-tuning, experiment, evaluation): its jobs, its energy, and what of it was lost.

with

runs as (select * from {{ ref('int_training_run__totals') }}),

teams as (select workflow_id, team_id from {{ ref('dim_workflow') }}),

completed as (

    select
        run_id,
        lag(run_id) over (partition by model_id order by ended_at_utc, run_id) as previous_run_id,
        lag(ended_at_utc) over (partition by model_id order by ended_at_utc, run_id) as previous_ended_at_utc
    from runs
    where state = 'COMPLETED' and lifecycle_stage in ('training', 'fine_tuning') and model_id <> 'several'

),

organisation as (

    select
        sum(energy_kwh) as energy_kwh,
        sum(case when lifecycle_stage in ('experiment', 'evaluation') then energy_kwh else 0 end) as experiment_kwh,
        sum(lost_energy_kwh) as lost_kwh
    from runs

),

described as (

    select
        runs.run_id, runs.experiment_id, runs.workflow_id, coalesce(teams.team_id, runs.workflow_id) as team_id,
        runs.model_id, runs.lifecycle_stage, runs.state, runs.superseded_by, runs.started_at_utc, runs.ended_at_utc,
        cast(runs.job_count as bigint) as job_count,
        cast(runs.failed_job_count as bigint) as failed_job_count,
        cast(runs.missing_day_count as bigint) as missing_day_count,
        cast(runs.gpu_seconds as decimal(38, 0)) as gpu_seconds,
        cast(runs.energy_kwh_low as decimal(38, 9)) as energy_kwh_low,
        cast(runs.energy_kwh as decimal(38, 9)) as energy_kwh,
        cast(runs.energy_kwh_high as decimal(38, 9)) as energy_kwh_high,
        runs.energy_method,
        runs.evidence_tier,
        case when runs.known_gpu_seconds < runs.gpu_seconds then 'no_meter' end as gap_reason,
        {{ ratio('runs.known_gpu_seconds', 'runs.gpu_seconds') }} as coverage_ratio,
        cast(runs.lost_energy_kwh as decimal(38, 9)) as lost_energy_kwh,
        {{ ratio('runs.lost_energy_kwh', 'runs.energy_kwh') }} as lost_energy_ratio,
        completed.previous_run_id,
        cast({{ days_between('cast(completed.previous_ended_at_utc as date)', 'cast(runs.ended_at_utc as date)') }}
            as bigint) as days_since_previous_run_count,
        cast(runs.output_tokens as decimal(38, 0)) as output_tokens,
        cast(case when runs.known_gpu_seconds = runs.gpu_seconds
            then {{ wh_from_kwh('runs.energy_kwh') }} / nullif(runs.output_tokens, 0)
        end as decimal(38, 9)) as energy_wh_per_output_token,
        {{ ratio('runs.energy_kwh', 'organisation.energy_kwh') }} as organisation_energy_ratio,
        {{ ratio('organisation.experiment_kwh', 'organisation.energy_kwh') }} as organisation_experiment_ratio,
        {{ ratio('organisation.lost_kwh', 'organisation.energy_kwh') }} as organisation_lost_ratio
    from runs
    cross join organisation
    left join completed on runs.run_id = completed.run_id
    left join teams on runs.workflow_id = teams.workflow_id

)

select * from described
