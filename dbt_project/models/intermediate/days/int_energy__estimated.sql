-- One row per attributed activity that no meter read: its energy by the best factor there is, or the reason why not.
{{ config(materialized='ephemeral') }}

{%- set counts = factor_counts() %}

with

activity as (select * from {{ ref('int_activity__placed') }} where meter_method = ''),

factors as (select * from {{ ref('int_factor__chosen') }}),

-- what is not known is at most as hungry as the hungriest model that ever was: all sets that were frozen, in force or
-- not, so that putting a factor out of force never lowers the range
hungriest as (

    select
        {%- for kind in counts %}
        {{ '0' if kind == 'nano_usd' else 'max(kwh_per_' ~ kind ~ '_high)' }} as kwh_per_{{ kind }}{{ ',' if not loop.last }}
        {%- endfor %}
    from {{ ref('factor_set') }}

),

matched as (

    select
        activity.*,
        factors.factor_id, factors.evidence_tier, factors.wue_onsite_litres_per_kwh,
        -- a bill is not a use, unless use is reckoned from it
        {% for kind, count in counts.items() if kind != 'nano_usd' %}coalesce(activity.{{ count }}, 0) + {% endfor %}
            coalesce(factors.kwh_per_nano_usd * activity.cost_nano_usd, 0) > 0 as is_use,
        activity.call_count * factors.embodied_gco2e_per_request
            + activity.output_tokens * factors.embodied_gco2e_per_output_token as embodied_gco2e
        {%- for end in ['_low', '', '_high'] %},
        cast(
            {%- for kind, count in counts.items() %}
            {{ '+ ' if not loop.first }}case when coalesce(activity.{{ count }}, 0) <= 0 then 0
                else activity.{{ count }} * {% if end == '_high' -%}
                    coalesce(factors.kwh_per_{{ kind }}_high, hungriest.kwh_per_{{ kind }})
                {%- else -%} factors.kwh_per_{{ kind }}{{ end }} {%- endif %} end
            {%- endfor %}
        as decimal(24, 9)) as energy_kwh{{ end }}
        {%- endfor %}
    from activity
    cross join hungriest
    left join factors
        on activity.usage_date = factors.usage_date
        and activity.provider = factors.provider
        and activity.provider_canonical = factors.provider_canonical
        and activity.model_canonical = factors.model_canonical
        and activity.serving_mode = factors.serving_mode
        and not activity.is_metered_elsewhere

),

estimated as (

    select
        {{ energy_columns('matched') }},
        case when is_use then factor_id end as factor_id,
        case when is_use then evidence_tier end as evidence_tier,
        case
            when is_metered_elsewhere then 'metered_elsewhere'
            when is_use and factor_id is null then 'no_factor'
            -- the model has a factor, but none for what was done with it
            when is_use and energy_kwh is null then 'no_rule'
        end as gap_reason,
        {%- for end in ['_low', '', '_high'] %}
        case when is_use and not is_metered_elsewhere then energy_kwh{{ end }} end as energy_kwh{{ end }},
        {%- endfor %}
        case when is_use then cast(embodied_gco2e as decimal(24, 9)) end as embodied_gco2e,
        cast(wue_onsite_litres_per_kwh as decimal(12, 6)) as onsite_water_litres_per_kwh
    from matched

)

select * from estimated
