-- One row per attributed activity x energy line: its energy as estimated from a factor or read from a meter, or the reason why not.
{{ config(materialized='ephemeral') }}

{%- set kinds = ['request', 'input_token', 'cached_input_token', 'output_token'] %}
{%- set counts = {'request': 'call_count', 'input_token': 'input_tokens', 'cached_input_token': 'cached_input_tokens',
    'output_token': 'output_tokens'} %}

with

activity as (select * from {{ ref('int_activity__attributed') }}),

factors as (select * from {{ ref('factor_set') }} where {{ in_force('factor_set') }}),

hardware as (select * from {{ ref('gpu_factor') }} where {{ in_force('factor_set') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

source_sites as (select * from {{ ref('stg_settings__sources') }}),

sites as (select * from {{ ref('int_site__named') }}),

-- what is not known is at most as hungry as the hungriest model that ever was: all sets that were frozen, in force or
-- not, so that putting a factor out of force never lowers the range
hungriest as (

    select
        {%- for kind in kinds %}
        max(kwh_per_{{ kind }}_high) as kwh_per_{{ kind }}_high{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('factor_set') }}

),

embodied as (select value from hardware where quantity = 'embodied_gco2e_per_gpu_second'),

largest as (select value from hardware where quantity = 'largest_kwh_per_gpu_second'),

placed as (

    select
        activity.*,
        coalesce(source_sites.site_id, providers.site_id) as site_id,
        coalesce(providers.energy_from, activity.source) <> activity.source as is_metered_elsewhere,
        activity.call_count + activity.input_tokens + activity.cached_input_tokens + activity.output_tokens > 0
            as has_calls
    from activity
    left join providers on activity.provider = providers.provider
    left join source_sites on activity.source = source_sites.source and source_sites.site_id is not null

),

estimated as (

    select
        placed.*,
        case when placed.has_calls then factors.factor_id end as factor_id,
        case when placed.has_calls then factors.evidence_tier end as evidence_tier,
        case
            when placed.is_metered_elsewhere then 'metered_elsewhere'
            when placed.has_calls and factors.factor_id is null then 'no_factor'
        end as gap_reason,
        {%- for end in ['_low', '', '_high'] %}
        case when placed.has_calls and not placed.is_metered_elsewhere then cast(
            {%- for kind in kinds %}
            {{ '+ ' if not loop.first }}placed.{{ counts[kind] }} * {{ 'coalesce(' if end == '_high' -}}
            factors.kwh_per_{{ kind }}{{ end }}{{ ', hungriest.kwh_per_' ~ kind ~ '_high)' if end == '_high' }}
            {%- endfor %}
        as decimal(24, 9)) end as energy_kwh{{ end }},
        {%- endfor %}
        case when placed.has_calls then cast(
            placed.call_count * factors.embodied_gco2e_per_request
            + placed.output_tokens * factors.embodied_gco2e_per_output_token
        as decimal(24, 9)) end as embodied_gco2e,
        cast(factors.wue_onsite_litres_per_kwh as decimal(12, 6)) as onsite_water_litres_per_kwh
    from placed
    cross join hungriest
    left join factors
        on placed.provider_canonical = factors.provider
        and placed.model_canonical = factors.model_name
        and not placed.is_metered_elsewhere
        and placed.usage_date >= factors.valid_from
    where placed.meter_method = ''

),

metered as (

    select
        placed.*,
        hardware.gpu_factor_id as factor_id,
        hardware.evidence_tier,
        case when hardware.gpu_factor_id is null then 'no_meter' end as gap_reason,
        {%- for end in ['_low', ''] %}
        cast({{ millijoules_to_kwh('placed.energy_millijoules') }} * cast(hardware.value{{ end }} as decimal(12, 6))
            as decimal(24, 9)) as energy_kwh{{ end }},
        {%- endfor %}
        -- time that no meter read is bounded by the hungriest GPU there is
        cast(coalesce(
            {{ millijoules_to_kwh('placed.energy_millijoules') }} * cast(hardware.value_high as decimal(12, 6)),
            placed.gpu_seconds * cast(largest.value as decimal(18, 18))
        ) as decimal(24, 9)) as energy_kwh_high,
        cast(placed.gpu_seconds * cast(embodied.value as decimal(18, 18)) as decimal(24, 9)) as embodied_gco2e,
        sites.onsite_water_litres_per_kwh
    from placed
    cross join embodied
    cross join largest
    left join sites on placed.site_id = sites.site_id
    left join hardware
        on hardware.quantity = case placed.meter_method
            when 'counter_delta' then 'energy_counter_ratio'
            when 'power_integral' then 'power_integral_ratio'
        end
        and placed.energy_millijoules is not null
    where placed.meter_method <> ''

),

energy as (

    select * from estimated
    union all
    select * from metered

)

select * from energy
