-- One row per row of int_activity__attributed, with the site where its electricity is used.
{{ config(materialized='ephemeral') }}

with

activity as (select * from {{ ref('int_activity__attributed') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

sources as (select * from {{ ref('stg_settings__sources') }} where site_id is not null),

placed as (

    select
        activity.*,
        -- devices are where they are used: after devices/, their provider names the site
        case
            when activity.source = 'devices' then substring(activity.provider, 9)
            else coalesce(sources.site_id, providers.site_id)
        end as site_id,
        coalesce(providers.energy_from, 'spend') not in ('spend', activity.source) as is_metered_elsewhere
    from activity
    left join providers on activity.provider = providers.provider
    left join sources on activity.source = sources.source

)

select * from placed
