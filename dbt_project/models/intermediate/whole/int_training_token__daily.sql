-- One row per day x workflow whose jobs made models on that day: the tokens that they worked through, all and those that were kept.

with

known as (

    select * from {{ ref('int_gpu_job__known') }} where lifecycle_stage in ('training', 'fine_tuning', 'experiment')

),

landed as (select * from {{ ref('stg_gpu_jobs__jobs') }}),

days as (

    select
        landed.usage_date,
        known.workflow_id,
        known.is_failed,
        known.is_failed or known.superseded_by is not null as is_lost,
        known.output_tokens,
        {{ unix_milliseconds('known.started_at_utc') }} as started_ms,
        {{ unix_milliseconds('known.ended_at_utc') }} as ended_ms,
        {{ unix_milliseconds('cast(landed.usage_date as timestamp)') }} as day_ms
    from landed
    inner join known on landed.job_id = known.job_id

),

-- evenly over the job's time, so that the parts of all its days add up to the job
parts as (

    select
        usage_date, workflow_id, is_failed, is_lost,
        {{ part_between(
            'output_tokens', 'greatest(day_ms - started_ms, 0)',
            'least(day_ms + 86400000, ended_ms) - started_ms', 'nullif(ended_ms - started_ms, 0)'
        ) }} as tokens
    from days
    where started_ms < day_ms + 86400000 and ended_ms > day_ms

),

daily as (

    select
        usage_date, workflow_id,
        -- tokens of a part of the work would make a token look dearer than it was; a failed job may tell none
        case when sum(case when tokens is null and not is_failed then 1 else 0 end) = 0
            then cast(sum(tokens) as decimal(38, 0)) end as training_tokens,
        case when sum(case when tokens is null and not is_failed then 1 else 0 end) = 0
            then cast(sum(case when is_lost then 0 else tokens end) as decimal(38, 0)) end as effective_training_tokens
    from parts
    group by usage_date, workflow_id

)

select * from daily
