-- One row per day x model, identity and serving mode in the call log of record: whose such requests are, and their factor.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set identities = ['api_key_id', 'project_id', 'workflow_tag'] %}
{%- set names = ['usage_date', 'provider', 'model_reported', 'serving_mode'] + identities %}

with

canonical as (select * from {{ ref('int_request__named') }}),

owners as (select * from {{ ref('int_identity__workflows') }} where source = 'call_log'),

workflows as (select * from {{ ref('stg_registry__workflows') }}),

factors as (select * from {{ ref('int_factor__chosen') }}),

-- a request is not cut: where several workflows share an identity, the one with the largest share has it whole
first_owners as (

    select
        *,
        row_number() over (
            partition by usage_date, {{ identities | join(', ') }}
            order by share desc, workflow_id
        ) as place
    from owners
    where pod = '' and node = ''

),

described as (

    select
        {%- for name in names %}
        canonical.{{ name }},
        {%- endfor %}
        canonical.provider_canonical || '/' || canonical.model_canonical as model_id,
        case
            when first_owners.share = 1 then 'direct'
            when first_owners.share is not null then 'allocated'
            when canonical.api_key_id || canonical.project_id || canonical.workflow_tag <> '' then 'orphan'
            else 'unattributed'
        end as attribution_method,
        first_owners.workflow_id as owner_id,
        workflows.team_id as owner_team_id,
        case
            when canonical.is_metered_elsewhere then 'metered_elsewhere'
            when factors.factor_id is null then 'no_factor'
        end as gap_reason,
        case when not canonical.is_metered_elsewhere then factors.factor_id end as factor_id
        {%- for kind in factor_counts() %},
        case when not canonical.is_metered_elsewhere then factors.kwh_per_{{ kind }} end as kwh_per_{{ kind }}
        {%- endfor %}
    from canonical
    left join first_owners
        on canonical.usage_date = first_owners.usage_date
        {%- for name in identities %}
        and canonical.{{ name }} = first_owners.{{ name }}
        {%- endfor %}
        and first_owners.place = 1
    left join workflows on first_owners.workflow_id = workflows.workflow_id
    left join factors
        on canonical.usage_date = factors.usage_date
        and canonical.provider = factors.provider
        and canonical.provider_canonical = factors.provider_canonical
        and canonical.model_canonical = factors.model_canonical
        and canonical.serving_mode = factors.serving_mode

),

named as (

    select
        {{ names | join(', ') }}, model_id, attribution_method,
        coalesce(owner_id, attribution_method) as workflow_id,
        coalesce(owner_team_id, attribution_method) as team_id,
        gap_reason, factor_id
        {%- for kind in factor_counts() %}, kwh_per_{{ kind }}{% endfor %}
    from described

)

select * from named
