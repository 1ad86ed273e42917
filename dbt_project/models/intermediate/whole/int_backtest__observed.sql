-- One row per day x model: metered and estimated energy of the workflows that called no other metered model on that day.

with

estimates as (select * from {{ ref('int_backtest__daily') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

footprint as (select * from {{ ref('fct_footprint_daily') }}),

metered as (

    select
        usage_date, source, workflow_id,
        sum(energy_kwh) as metered_kwh,
        sum(case when gap_reason is not null then 1 else 0 end) as gap_count
    from footprint
    where workflow_id not in ('orphan', 'unattributed')
    group by usage_date, source, workflow_id

),

alone as (

    select
        estimates.*,
        count(*) over (partition by estimates.usage_date, estimates.workflow_id, providers.energy_from) as model_count,
        providers.energy_from
    from estimates
    inner join providers on estimates.provider = providers.provider

),

matched as (

    select
        alone.*,
        metered.metered_kwh,
        alone.model_count = 1 and alone.factor_id is not null and alone.estimated_kwh > 0
            and metered.metered_kwh > 0 and metered.gap_count = 0 as is_comparable
    from alone
    left join metered
        on alone.usage_date = metered.usage_date
        and alone.workflow_id = metered.workflow_id
        and alone.energy_from = metered.source

),

observed as (

    select
        usage_date, provider, model_id, factor_id, evidence_tier,
        sum(call_count) as call_count,
        sum(case when is_comparable then call_count end) as compared_call_count,
        sum(case when is_comparable then metered_kwh end) as metered_kwh,
        sum(case when is_comparable then estimated_kwh end) as estimated_kwh
    from matched
    group by usage_date, provider, model_id, factor_id, evidence_tier

)

select * from observed
