-- One row per row of int_activity__hourly x workflow that answers for it; quantities are split without remainder.
{{ config(materialized='ephemeral') }}

{%- set quantities = activity_counts() + ['energy_millijoules', 'cost_nano_usd'] %}
{%- set kinds = ['lifecycle_stage', 'call_purpose', 'serving_mode', 'energy_line', 'meter_method'] %}

with

activity as (

    select
        *,
        -- the whole key of the row; with its length before it, no name can run into the next
        md5(concat_ws('|', usage_hour_utc
            {%- for name in ['source', 'provider', 'provider_canonical', 'model_canonical', 'api_key_id', 'project_id',
                'workflow_tag', 'pod', 'node'] + kinds %}
            , length({{ name }}), {{ name }}
            {%- endfor %})) as activity_id
    from {{ ref('int_activity__hourly') }}
    where is_of_record and {{ in_days('usage_date') }}

),

identities as (select * from {{ ref('int_identity__workflows') }}),

workflows as (select * from {{ ref('stg_registry__workflows') }}),

matched as (

    select
        activity.*,
        identities.workflow_id,
        coalesce(identities.share, 1) as share,
        case
            when identities.share = 1 then 'direct'
            when identities.share is not null then 'allocated'
            -- a node is where something ran, not who asked for it
            when activity.api_key_id || activity.project_id || activity.workflow_tag || activity.pod <> '' then 'orphan'
            else 'unattributed'
        end as attribution_method
    from activity
    left join identities
        on activity.usage_date = identities.usage_date
        and activity.source = identities.source
        and activity.api_key_id = identities.api_key_id
        and activity.project_id = identities.project_id
        and activity.workflow_tag = identities.workflow_tag
        and activity.pod = identities.pod
        and activity.node = identities.node

),

owned as (

    select
        matched.usage_date, matched.usage_hour_utc, matched.source, matched.provider, matched.provider_canonical,
        matched.model_canonical, matched.node, matched.attribution_method, matched.share, matched.activity_id,
        coalesce(matched.workflow_id, matched.attribution_method) as workflow_id,
        coalesce(workflows.team_id, matched.attribution_method) as team_id,
        {{ (kinds + quantities) | join(', ') }}
    from matched
    left join workflows on matched.workflow_id = workflows.workflow_id

),

whole as (

    select
        usage_date, usage_hour_utc, source, provider, provider_canonical, model_canonical, node,
        {{ kinds | join(', ') }},
        attribution_method, workflow_id, team_id,
        {{ quantities | join(', ') }}
    from owned
    where attribution_method <> 'allocated'

),

split as (

    select
        usage_date, usage_hour_utc, source, provider, provider_canonical, model_canonical, node,
        {{ kinds | join(', ') }},
        attribution_method, workflow_id, team_id,
        {%- for quantity in quantities %}
        {{ largest_remainder(quantity, 'share', 'activity_id', 'workflow_id') }} as {{ quantity }}{{ ',' if not loop.last }}
        {%- endfor %}
    from owned
    where attribution_method = 'allocated'

),

attributed as (

    select * from whole
    union all
    select * from split

)

select * from attributed
