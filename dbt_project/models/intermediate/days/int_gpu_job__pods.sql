-- One row per hour x metered pod x method x job that ran in it: what the GPUs' own meters read for the job.

with

jobs as (select * from {{ ref('int_gpu_job__hourly') }} where pod is not null),

meters as (

    select
        usage_date, usage_hour_utc, pod, method as meter_method,
        cast(sum(gpu_seconds) as decimal(18, 0)) as gpu_seconds,
        cast(sum(energy_millijoules) as decimal(18, 0)) as energy_millijoules
    from {{ ref('int_gpu_energy__hourly') }}
    where pod is not null
    group by usage_date, usage_hour_utc, pod, method

),

-- a pod that runs one job after another within an hour is shared by the time that each held its GPUs
matched as (

    select
        meters.*,
        jobs.job_id, jobs.run_id, jobs.lifecycle_stage,
        cast(jobs.held_ms * jobs.gpu_count as bigint) as weight
    from meters
    inner join jobs
        on meters.usage_date = jobs.usage_date
        and meters.usage_hour_utc = jobs.usage_hour_utc
        and meters.pod like {{ pattern_of('jobs.pod') }} escape '!'

),

weighted as (

    select
        *,
        cast(sum(weight) over (partition by usage_date, usage_hour_utc, pod, meter_method) as bigint) as total,
        cast(sum(weight) over (
            partition by usage_date, usage_hour_utc, pod, meter_method order by job_id
            rows between unbounded preceding and current row
        ) as bigint) as high
    from matched

),

parts as (

    select
        usage_date, usage_hour_utc, pod, meter_method, job_id, run_id, lifecycle_stage,
        {{ part_between('gpu_seconds', 'high - weight', 'high', 'total') }} as gpu_seconds,
        {{ part_between('energy_millijoules', 'high - weight', 'high', 'total') }} as energy_millijoules
    from weighted

)

select * from parts
