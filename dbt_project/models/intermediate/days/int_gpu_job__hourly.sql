-- One row per job x UTC hour in which it ran: its GPU seconds, and its energy by its scheduler's meters or by its run time.

with

jobs as (

    select
        *,
        {{ unix_milliseconds('cast(usage_date as timestamp)') }} as day_ms,
        ended_ms - started_ms as job_ms,
        {{ whole_quotient('(ended_ms - started_ms) * gpu_count', '1000') }} as job_gpu_seconds,
        -- what the machines drew is the job's only if it had them to itself, and whole only once it has ended
        case when is_exclusive and state not in ('RUNNING', 'SUSPENDED', 'RESIZING') then energy_millijoules end
            as job_millijoules
    from {{ ref('stg_gpu_jobs__jobs') }}

),

boards as (select * from {{ ref('gpu_model') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

powers as ({{ gpu_powers('jobs', 'gpu_model') }}),

fitted as ({{ proxies_in_force('jobs', 'usage_date', 'gpu_model') }}),

hours as (select number from {{ whole_numbers(24) }} as hours_of_day),

cut as (

    select
        jobs.*,
        day_ms + number * 3600000 as hour_ms,
        -- from the start of the job, so that the parts of all its hours, in whichever days, add up to the job
        greatest(started_ms, day_ms + number * 3600000) - started_ms as low_ms,
        least(ended_ms, day_ms + (number + 1) * 3600000) - started_ms as high_ms
    from jobs
    cross join hours
    where started_ms < day_ms + (number + 1) * 3600000 and ended_ms > day_ms + number * 3600000

),

parts as (

    select
        usage_date,
        {{ instant_of_milliseconds('hour_ms') }} as usage_hour_utc,
        job_id,
        coalesce(run_id, job_id) as run_id,
        workflow_tag,
        coalesce(lifecycle_stage, 'unknown') as lifecycle_stage,
        gpu_model,
        gpu_count,
        nodes,
        pod,
        high_ms - low_ms as held_ms,
        {{ part_between('job_gpu_seconds', 'low_ms', 'high_ms', 'job_ms') }} as gpu_seconds,
        {{ part_between('job_millijoules', 'low_ms', 'high_ms', 'job_ms') }} as read_millijoules
    from cut

),

hourly as (

    select
        parts.*,
        -- without a reading: GPU seconds x what held boards of the model drew by the organisation's own meters, or else
        -- rated power x how busy boards that are held are (methods: run-time proxy)
        coalesce(
            parts.read_millijoules, parts.gpu_seconds * coalesce(fitted.fitted_milliwatts, powers.busy_milliwatts)
        ) as energy_millijoules,
        case
            when parts.read_millijoules is not null then 'job_counter'
            when fitted.fitted_milliwatts is not null then 'runtime_fitted'
            when powers.busy_milliwatts is not null then 'runtime_default'
            else 'unmeasured'
        end as meter_method
    from parts
    left join powers on parts.gpu_model = powers.gpu_model
    left join fitted on parts.usage_date = fitted.used_date and parts.gpu_model = fitted.gpu_model

)

select * from hourly
