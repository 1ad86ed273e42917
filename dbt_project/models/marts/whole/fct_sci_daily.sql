-- One row per day x workflow x persona x functional unit: the SCI view, operation plus amortised hardware per unit.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

outcomes as (select * from {{ ref('stg_outcomes__outcomes') }}),

-- whoever uses a model answers for its operation, whoever makes it for its making (SCI for AI)
personas as (

    select
        usage_date, team_id, workflow_id,
        case when lifecycle_stage in ('training', 'fine_tuning', 'experiment') then 'provider' else 'consumer' end
            as persona,
        sum(energy_kwh) as energy_kwh, sum(location_gco2e) as location_gco2e, sum(embodied_gco2e) as embodied_gco2e,
        sum(call_count) as call_count, sum(output_tokens) as output_tokens,
        sum(case when coalesce(gap_reason, '') in ('', 'metered_elsewhere') then call_count else 0 end) as covered_call_count
    from footprint
    group by usage_date, team_id, workflow_id,
        case when lifecycle_stage in ('training', 'fine_tuning', 'experiment') then 'provider' else 'consumer' end

),

units as (

    select usage_date, workflow_id, 'request' as functional_unit, call_count as unit_count
    from personas where persona = 'consumer'
    union all
    select usage_date, workflow_id, '1000 output tokens', {{ thousandths('output_tokens') }}
    from personas where persona = 'consumer'
    union all
    select usage_date, workflow_id, 'outcome ' || outcome_type, outcome_count
    from outcomes
    union all
    -- the unit that a provider must use; nobody has told how many there were
    select usage_date, workflow_id, 'training token', null
    from personas where persona = 'provider'

),

counted as (

    select
        personas.usage_date, personas.team_id, personas.workflow_id, personas.persona, units.functional_unit,
        cast(units.unit_count as decimal(38, 9)) as functional_unit_count,
        cast(personas.energy_kwh as decimal(38, 9)) as energy_kwh,
        cast(personas.location_gco2e as decimal(38, 9)) as operational_gco2e,
        cast(personas.embodied_gco2e as decimal(38, 9)) as embodied_gco2e,
        {{ ratio('personas.covered_call_count', 'personas.call_count') }} as coverage_ratio
    from personas
    inner join units
        on personas.usage_date = units.usage_date
        and personas.workflow_id = units.workflow_id
        and personas.persona = case when units.functional_unit = 'training token' then 'provider' else 'consumer' end

),

rated as (

    select
        *,
        cast((operational_gco2e + embodied_gco2e) / nullif(functional_unit_count, 0) as decimal(38, 9))
            as sci_gco2e_per_unit
    from counted

)

select * from rated
