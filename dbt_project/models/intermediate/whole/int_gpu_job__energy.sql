-- One row per job x hour x method: its energy from the best evidence there is for that hour, or the bound of what it may be.

with

jobs as (select * from {{ ref('int_gpu_job__hourly') }}),

pods as (select * from {{ ref('int_gpu_job__pods') }}),

pod_hours as (select distinct usage_date, usage_hour_utc, job_id from pods),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

boards as (select * from {{ ref('gpu_model') }}),

largest as (

    select
        max(case when quantity = 'largest_kwh_per_gpu_second' then value end) as value,
        max(case when quantity = 'energy_counter_ratio' then value_high end) as counter_high
    from hardware

),

powers as ({{ gpu_powers('jobs', 'gpu_model') }}),

proxies as ({{ proxies_in_force('jobs', 'usage_date', 'gpu_model') }}),

-- what a job's boards are and can draw
rated as (

    select jobs.job_id, max(jobs.gpu_model) as gpu_model, max(powers.tdp_milliwatts) as tdp_milliwatts
    from jobs
    left join powers on jobs.gpu_model = powers.gpu_model
    group by jobs.job_id

),

evidence as (

    select
        usage_date, usage_hour_utc, job_id, run_id, gpu_seconds, energy_millijoules, meter_method,
        'gpu_counter' as energy_method
    from pods
    union all
    select
        jobs.usage_date, jobs.usage_hour_utc, jobs.job_id, jobs.run_id, jobs.gpu_seconds, jobs.energy_millijoules,
        jobs.meter_method,
        case jobs.meter_method when 'runtime_default' then 'runtime_proxy' else jobs.meter_method end
    from jobs
    left join pod_hours
        on jobs.usage_date = pod_hours.usage_date and jobs.usage_hour_utc = pod_hours.usage_hour_utc
        and jobs.job_id = pod_hours.job_id
    where pod_hours.job_id is null

),

energy as (

    select
        evidence.usage_date, evidence.usage_hour_utc, evidence.job_id, evidence.run_id,
        cast(evidence.gpu_seconds as decimal(18, 0)) as gpu_seconds,
        -- what was read, and not reckoned from time
        case when evidence.energy_method not in ('runtime_proxy', 'runtime_fitted') then evidence.energy_millijoules end
            as read_millijoules,
        case when hardware.gpu_factor_id is not null then evidence.energy_method end as energy_method,
        hardware.evidence_tier,
        -- a fit has ends of its own, here as in the ledger
        cast({{ millijoules_to_kwh('evidence.energy_millijoules') }} * cast(
            least(hardware.value_low, coalesce(proxies.low_ratio, hardware.value_low)) as decimal(12, 6)
        ) as decimal(24, 9)) as energy_kwh_low,
        cast({{ millijoules_to_kwh('evidence.energy_millijoules') }} * cast(hardware.value as decimal(12, 6))
            as decimal(24, 9)) as energy_kwh,
        -- power that was not read through is bounded by the rating, or that of the hungriest GPU there is, as wrongly told
        -- as by a counter: so that losing a counter lowers no high end, here as in the ledger
        cast(greatest(
            coalesce({{ millijoules_to_kwh('evidence.energy_millijoules') }} * cast(
                greatest(hardware.value_high, coalesce(proxies.high_ratio, hardware.value_high)) as decimal(12, 6)
            ), 0),
            case when evidence.meter_method in ('job_counter', 'counter_delta', 'power_integral') then 0
                else cast(coalesce(
                    {{ millijoules_to_kwh('evidence.gpu_seconds * rated.tdp_milliwatts') }},
                    cast(evidence.gpu_seconds as decimal(18, 0)) * cast(largest.value as decimal(18, 18))
                ) as decimal(24, 9)) * cast(largest.counter_high as decimal(12, 6))
            end
        ) as decimal(24, 9)) as energy_kwh_high
    from evidence
    cross join largest
    left join rated on evidence.job_id = rated.job_id
    left join hardware
        on hardware.quantity = {{ quantity_of_method('evidence.meter_method') }}
        and evidence.energy_millijoules is not null
    left join proxies
        on evidence.usage_date = proxies.used_date and rated.gpu_model = proxies.gpu_model
        and evidence.meter_method = 'runtime_fitted'

)

select * from energy
