-- One row per day x workflow x persona x functional unit: the SCI view, operation plus amortised hardware per unit.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

outcomes as (select * from {{ ref('stg_outcomes__outcomes') }}),

training as (select * from {{ ref('int_training_token__daily') }}),

-- whoever uses a model answers for its operation, whoever makes it for its making (SCI for AI); to call a model as an
-- experiment is to use it
staged as (

    select
        *,
        case
            when lifecycle_stage in ('training', 'fine_tuning') then 'provider'
            when lifecycle_stage = 'experiment' and provider = 'hardware' then 'provider'
            else 'consumer'
        end as persona
    from footprint

),

personas as (

    select
        usage_date, team_id, workflow_id, persona,
        sum(energy_kwh) as energy_kwh, sum(location_gco2e) as location_gco2e, sum(embodied_gco2e) as embodied_gco2e,
        sum(call_count) as call_count, sum(output_tokens) as output_tokens,
        -- use whose operation or hardware is not known; a call that a meter holds is known there
        max(case when gap_reason <> 'metered_elsewhere'
            or (energy_kwh is not null and (location_gco2e is null or embodied_gco2e is null)) then 1 else 0 end) = 1
            as has_unknown,
        -- a consumer's calls and a provider's GPU time; every unit below is cast, for a union would round it to whole ones
        {%- for name in ['call_count', 'gpu_seconds'] %}
        {{ ratio("sum(case when coalesce(gap_reason, '') in ('', 'metered_elsewhere') then " ~ name ~ ' else 0 end)',
            'sum(' ~ name ~ ')') }} as {{ name }}_coverage_ratio{{ ',' if not loop.last }}
        {%- endfor %}
    from staged
    group by usage_date, team_id, workflow_id, persona

),

units as (

    select usage_date, workflow_id, persona, 'request' as functional_unit,
        cast(call_count as decimal(38, 9)) as unit_count
    from personas where persona = 'consumer'
    union all
    select usage_date, workflow_id, persona, '1000 output tokens', cast({{ thousandths('output_tokens') }} as decimal(38, 9))
    from personas where persona = 'consumer'
    union all
    select usage_date, workflow_id, 'consumer', 'outcome ' || outcome_type, cast(outcome_count as decimal(38, 9))
    from outcomes
    {%- for kind in ['', 'effective '] %}
    union all
    -- the unit that a provider must use, gross and effective
    select personas.usage_date, personas.workflow_id, personas.persona, '1000 {{ kind }}training tokens',
        cast({{ thousandths('training.' ~ kind | replace(' ', '_') ~ 'training_tokens') }} as decimal(38, 9))
    from personas
    left join training
        on personas.usage_date = training.usage_date and personas.workflow_id = training.workflow_id
    where personas.persona = 'provider'
    {%- endfor %}

),

counted as (

    select
        personas.usage_date, personas.team_id, personas.workflow_id, personas.persona, units.functional_unit,
        units.unit_count as functional_unit_count,
        cast(personas.energy_kwh as decimal(38, 9)) as energy_kwh,
        cast(personas.location_gco2e as decimal(38, 9)) as operational_gco2e,
        cast(personas.embodied_gco2e as decimal(38, 9)) as embodied_gco2e,
        case when personas.persona = 'provider' then gpu_seconds_coverage_ratio else call_count_coverage_ratio end
            as coverage_ratio,
        case
            when personas.location_gco2e is null then 'no_operation'
            when personas.embodied_gco2e is null then 'no_embodied'
            when personas.has_unknown then 'partly_known'
            when units.unit_count is null then 'unit_not_told'
            when units.unit_count = 0 then 'no_unit'
        end as gap_reason
    from personas
    inner join units
        on personas.usage_date = units.usage_date
        and personas.workflow_id = units.workflow_id
        and personas.persona = units.persona

),

-- O, M and R must be of the same use, or the unknown would count as nothing
rated as (

    select
        *,
        cast(case when gap_reason is null then (operational_gco2e + embodied_gco2e) / functional_unit_count end
            as decimal(38, 9)) as sci_gco2e_per_unit
    from counted

)

select * from rated
