-- One row per hour x source x model x identity x stage x purpose x energy line x meter method: what was done, in whole units.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set quantities = activity_counts() + ['energy_millijoules'] %}
{%- set identities = ['api_key_id', 'project_id', 'workflow_tag', 'pod', 'node'] %}
{%- set kinds = ['lifecycle_stage', 'call_purpose', 'serving_mode', 'energy_line', 'meter_method'] %}

with

activity as (
    {% for source in var('activity_sources') %}
    select
        usage_date, usage_hour_utc, source, provider, model_reported,
        {{ (identities + kinds + quantities) | join(', ') }}, cost_usd
    from {{ ref('int_' ~ source ~ '__activity') }}
    where {{ in_days('usage_date') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

aliases as (select * from {{ ref('model_alias') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

canonical as (

    select
        activity.*,
        coalesce(aliases.provider_canonical, providers.catalogue, activity.provider, '') as provider_canonical,
        coalesce(aliases.model_canonical, activity.model_reported, '') as model_canonical,
        -- two sources may see the same call: the provider's system of record books it, the others only corroborate;
        -- a source that always repeats another is of record only where it is named
        coalesce(
            providers.system_of_record,
            case activity.source
                {%- for source, counted_in in var('corroborating_sources').items() %}
                when '{{ source }}' then '{{ counted_in }}'
                {%- endfor %}
                else activity.source
            end
        ) = activity.source as is_of_record
    from activity
    {{ join_aliases('activity', 'provider', 'usage_date') }}
    left join providers on activity.provider = providers.provider

),

summed as (

    select
        usage_date,
        usage_hour_utc,
        source,
        coalesce(provider, '') as provider,
        provider_canonical,
        model_canonical,
        is_of_record,
        -- '' stands for "not given" so that identities join by plain equality
        {%- for name in identities + kinds %}
        coalesce({{ name }}, '') as {{ name }},
        {%- endfor %}
        {%- for name in quantities %}
        cast(sum({{ name }}) as decimal(18, 0)) as {{ name }},
        {%- endfor %}
        -- whole billionths of a dollar, so that a cost is split as exactly as a token
        cast(sum(cost_usd) * 1000000000 as decimal(18, 0)) as cost_nano_usd
    from canonical
    group by
        usage_date, usage_hour_utc, source, coalesce(provider, ''), provider_canonical, model_canonical, is_of_record,
        {%- for name in identities + kinds %}
        coalesce({{ name }}, ''){{ ',' if not loop.last }}
        {%- endfor %}

)

select * from summed
