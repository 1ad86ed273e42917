-- One row per day x model, identity and serving mode in the call log of record, under their canonical names.
{{ config(materialized='ephemeral') }}

{%- set names = ['provider', 'model_reported', 'serving_mode', 'api_key_id', 'project_id', 'workflow_tag'] %}

with

calls as (select * from {{ ref('int_call_log__activity') }} where {{ in_days('usage_date') }}),

aliases as (select * from {{ ref('model_alias') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

kinds as (

    select distinct usage_date{% for name in names %}, coalesce({{ name }}, '') as {{ name }}{% endfor %}
    from calls

),

canonical as (

    select
        kinds.usage_date,
        {%- for name in names %} kinds.{{ name }},{% endfor %}
        coalesce(aliases.provider_canonical, providers.catalogue, kinds.provider) as provider_canonical,
        coalesce(aliases.model_canonical, kinds.model_reported) as model_canonical,
        coalesce(providers.energy_from, 'spend') not in ('spend', 'call_log') as is_metered_elsewhere
    from kinds
    {{ join_aliases('kinds', 'provider', 'usage_date') }}
    left join providers on kinds.provider = providers.provider
    -- what another system books is not counted here
    where coalesce(providers.system_of_record, 'call_log') = 'call_log'

)

select * from canonical
