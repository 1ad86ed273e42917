-- One row per job x hour: the GPU seconds and the energy of the job that no GPU meter holds.

with

jobs as (

    select
        *,
        case when nodes is null then 1 else length(nodes) - length(replace(nodes, ',', '')) + 1 end as node_count
    from {{ ref('int_gpu_job__hourly') }}

),

meters as (select distinct usage_date, usage_hour_utc, host from {{ ref('int_gpu_energy__hourly') }}),

meter_hours as (select distinct usage_date, usage_hour_utc from meters),

pods as (select distinct usage_date, usage_hour_utc, job_id from {{ ref('int_gpu_job__pods') }}),

sites as (

    select
        max(case when source = 'gpu_jobs' then site_id end) as jobs_site_id,
        max(case when source = 'gpu_prometheus' then site_id end) as meters_site_id
    from {{ ref('stg_settings__sources') }}

),

seen as (

    select jobs.job_id, jobs.usage_date, jobs.usage_hour_utc, count(*) as metered_node_count
    from jobs
    inner join meters
        on jobs.usage_date = meters.usage_date
        and jobs.usage_hour_utc = meters.usage_hour_utc
        and position(',' || split_part(meters.host, '.', 1) || ',' in ',' || jobs.nodes || ',') > 0
    group by jobs.job_id, jobs.usage_date, jobs.usage_hour_utc

),

shared as (

    select
        jobs.*,
        case
            when seen.metered_node_count is not null then least(seen.metered_node_count, jobs.node_count)
            when pods.job_id is not null then jobs.node_count
            -- meters of the same site count GPUs without a pod too: a job that names no node may be among them
            when jobs.nodes is null and meter_hours.usage_date is not null
                and coalesce(sites.jobs_site_id, sites.meters_site_id, '')
                    = coalesce(sites.meters_site_id, sites.jobs_site_id, '')
                then jobs.node_count
            else 0
        end as metered_node_count
    from jobs
    cross join sites
    left join seen
        on jobs.job_id = seen.job_id and jobs.usage_date = seen.usage_date
        and jobs.usage_hour_utc = seen.usage_hour_utc
    left join pods
        on jobs.job_id = pods.job_id and jobs.usage_date = pods.usage_date
        and jobs.usage_hour_utc = pods.usage_hour_utc
    left join meter_hours
        on jobs.usage_date = meter_hours.usage_date and jobs.usage_hour_utc = meter_hours.usage_hour_utc

),

unmetered as (

    select
        usage_date, usage_hour_utc, job_id, workflow_tag, lifecycle_stage, gpu_model, pod, meter_method,
        {{ part_between('gpu_seconds', 'metered_node_count', 'node_count', 'node_count') }} as gpu_seconds,
        {{ part_between('energy_millijoules', 'metered_node_count', 'node_count', 'node_count') }} as energy_millijoules
    from shared
    where metered_node_count < node_count

)

select * from unmetered
