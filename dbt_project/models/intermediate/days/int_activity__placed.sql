-- One row per row of int_activity__attributed, with the site where its electricity is used.
{{ config(materialized='ephemeral') }}

with

activity as (select * from {{ ref('int_activity__attributed') }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

sources as (select * from {{ ref('stg_settings__sources') }} where site_id is not null),

sites as (select * from {{ ref('stg_settings__sites') }}),

-- the site of a cloud's region: the first by name, unless the provider's own is one of them
regions as (

    select cloud_region, min(site_id) as site_id
    from sites
    where cloud_region is not null
    group by cloud_region

),

placed as (

    select
        activity.*,
        -- devices are where they are used: after devices/, their provider names the site
        case
            when activity.source = 'devices' then substring(activity.provider, 9)
            when own.cloud_region = activity.node then coalesce(sources.site_id, providers.site_id)
            else coalesce(sources.site_id, regions.site_id, providers.site_id)
        end as site_id,
        coalesce(providers.energy_from, 'spend') not in ('spend', activity.source) as is_metered_elsewhere
    from activity
    left join providers on activity.provider = providers.provider
    left join sites as own on providers.site_id = own.site_id
    left join regions on activity.node = regions.cloud_region
    left join sources on activity.source = sources.source

)

select * from placed
