-- One row per hour x metered pod that runs jobs: what the pod was for.

with

pods as (select * from {{ ref('int_gpu_job__pods') }}),

stages as (

    select
        usage_date, usage_hour_utc, pod,
        case when count(distinct lifecycle_stage) = 1 then min(lifecycle_stage) else 'unknown' end as lifecycle_stage
    from pods
    group by usage_date, usage_hour_utc, pod

)

select * from stages
