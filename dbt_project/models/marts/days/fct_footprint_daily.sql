-- One row per day x workflow x source x model x site x stage x purpose x energy line x factor x attribution x gap x grid rung.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set keys = ['usage_date', 'team_id', 'workflow_id', 'source', 'provider', 'model_id', 'site_id', 'grid_zone',
    'lifecycle_stage', 'call_purpose', 'serving_mode', 'energy_line', 'factor_id', 'attribution_method', 'evidence_tier', 'gap_reason',
    'grid_rung', 'grid_source', 'grid_boundary', 'grid_factor_id', 'direct_gap_reason', 'ghg_scope', 'scope3_category'] %}
{#- the direct part stands beside the whole here and in the inventory; other marts know the whole alone -#}
{%- set direct = ['location_direct_gco2e_low', 'location_direct_gco2e', 'location_direct_gco2e_high'] %}

with

hourly as (

    select *, provider_canonical || '/' || model_canonical as model_id
    from {{ ref('int_footprint__hourly') }}
    where {{ in_days('usage_date') }}

),

daily as (

    select
        {{ keys | join(', ') }},
        {%- for name in activity_counts() %}
        cast(sum({{ name }}) as decimal(38, 0)) as {{ name }},
        {%- endfor %}
        {%- for name in impacts() + direct %}
        cast(sum({{ name }}) as decimal(38, 9)) as {{ name }},
        {%- endfor %}
        cast({{ usd_from_nano_usd('sum(cost_nano_usd)') }} as decimal(38, 9)) as cost_usd
    from hourly
    group by {{ keys | join(', ') }}

)

select
    usage_date, team_id, workflow_id, source, provider, model_id, site_id, grid_zone, lifecycle_stage, call_purpose,
    serving_mode, energy_line, factor_id, attribution_method, {{ activity_counts() | join(', ') }},
    {{ (impacts() + direct) | join(', ') }}, cost_usd,
    evidence_tier, gap_reason, grid_rung, grid_source, grid_boundary, grid_factor_id, direct_gap_reason, ghg_scope,
    scope3_category
from daily
