-- One row per hour x host x pod that holds a GPU of it: what the host took beside its GPUs, read from its meter.
{{ config(materialized='ephemeral') }}

with

hosts as (select * from {{ ref('int_host_energy__hourly') }} where host_state in ('open', 'closed')),

held as (

    select usage_date, usage_hour_utc, host, pod, sum(gpu_seconds) as held_seconds
    from {{ ref('int_gpu_energy__hourly') }}
    where pod is not null
    group by usage_date, usage_hour_utc, host, pod

),

stages as (select * from {{ ref('int_gpu_job__pod_stage') }}),

-- shared by the seconds in which each pod held a GPU; where none did, the host stood idle
shared as (

    select
        hosts.usage_date, hosts.usage_hour_utc, hosts.host, hosts.gpu_model, held.pod,
        hosts.meter_kind, hosts.residual_millijoules as millijoules,
        cast(coalesce(held.held_seconds, 1) as bigint) as weight,
        cast(sum(coalesce(held.held_seconds, 1)) over (partition by hosts.usage_hour_utc, hosts.host) as bigint) as total
    from hosts
    left join held
        on hosts.usage_date = held.usage_date
        and hosts.usage_hour_utc = held.usage_hour_utc
        and hosts.host = held.host
        and held.held_seconds > 0

),

floors as (

    select
        *,
        cast({{ whole_quotient('millijoules * weight', 'total') }} as decimal(18, 0)) as part
    from shared

),

-- whole millijoules: what the floors leave goes to the largest remainders, ties to the first pod
parts as (

    select
        *,
        part + case
            when row_number() over (
                partition by usage_hour_utc, host order by millijoules * weight - part * total desc, pod
            ) <= millijoules - sum(part) over (partition by usage_hour_utc, host) then 1
            else 0
        end as share_millijoules
    from floors

),

activity as (

    select
        {#- beside the GPUs' own rows, so that the same rules and the same site apply #}
        {{ activity_columns('meters', prefix='parts.',
            named=['pod'], zero=activity_counts() + ['cost_usd'],
            source="case when parts.gpu_model is null then 'meters' else 'gpu_prometheus' end",
            provider="'hardware'", model_reported='gpu_model', node='parts.host',
            lifecycle_stage="case when parts.pod is not null then coalesce(stages.lifecycle_stage, 'inference')
                when parts.gpu_model is not null then 'idle' else 'unknown' end",
            energy_line="case when parts.pod is null and parts.gpu_model is not null then 'idle' else 'shared' end",
            meter_method="case when parts.meter_kind = 'cpu' then 'cpu_counter' else 'host_residual' end",
            energy_millijoules='cast(share_millijoules as decimal(18, 0))') }}
    from parts
    left join stages
        on parts.usage_date = stages.usage_date
        and parts.usage_hour_utc = stages.usage_hour_utc
        and parts.pod = stages.pod

)

select * from activity
