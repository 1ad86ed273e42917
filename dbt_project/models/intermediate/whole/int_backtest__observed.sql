-- One row per day x model: metered and estimated energy of the workflows that called no other metered model on that day.

with

estimates as (select * from {{ ref('int_backtest__daily') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

footprint as (select * from {{ ref('fct_footprint_daily') }}),

boards as (select * from {{ ref('gpu_model') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

held as (

    select model_id as gpu_model from footprint where provider = 'hardware' and energy_line = 'direct'

),

powers as ({{ gpu_powers('held', 'gpu_model') }}),

-- a board that is held draws its idle power whether it serves or not
drawn as (

    select
        footprint.usage_date, footprint.source, footprint.workflow_id, footprint.energy_kwh, footprint.gap_reason,
        case when footprint.energy_line = 'direct' then footprint.energy_kwh end as board_kwh,
        case when footprint.energy_line = 'direct' then least(
            footprint.energy_kwh, {{ millijoules_to_kwh('powers.idle_milliwatts * footprint.gpu_seconds') }}
        ) end as board_idle_kwh
    from footprint
    left join powers on footprint.model_id = powers.gpu_model
    where footprint.workflow_id not in ('orphan', 'unattributed')

),

-- host and cooling follow the boards: their part for idle boards is idle too
metered as (

    select
        usage_date, source, workflow_id,
        sum(energy_kwh) as metered_kwh,
        cast(sum(energy_kwh) * {{ ratio('sum(board_idle_kwh)', 'sum(board_kwh)') }} as decimal(38, 9)) as idle_kwh,
        sum(case when gap_reason is not null then 1 else 0 end) as gap_count
    from drawn
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
        metered.metered_kwh, metered.idle_kwh,
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
        sum(case when is_comparable then idle_kwh end) as idle_kwh,
        sum(case when is_comparable then estimated_kwh end) as estimated_kwh
    from matched
    group by usage_date, provider, model_id, factor_id, evidence_tier

)

select * from observed
