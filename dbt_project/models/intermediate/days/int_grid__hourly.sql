-- One row per grid zone x hour x source: the intensity that the source knows for it, and the direct part of it.

{#- The sources, the preferred one first; of some, a direct value without a whole one is an intensity, for who asks for it. -#}
{%- set sources = var('grid_sources') %}
{%- set alone = ['neso', 'grid_file'] %}

with

intensity as (
    {% for source in sources %}
    select
        usage_date, zone, usage_hour_utc, gco2e_per_kwh, grid_boundary, is_estimated, publisher,
        '{{ source }}' as grid_source, {{ loop.index }} as source_order, {{ source in alone }} as is_alone
    from {{ ref('int_' ~ source ~ '__grid') }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

-- side by side, never added: direct is a part of lifecycle; each publisher for itself
beside as (

    select
        usage_date, zone, usage_hour_utc, grid_source, source_order, publisher, is_alone,
        max(case when grid_boundary = 'lifecycle' then gco2e_per_kwh end) as whole_gco2e_per_kwh,
        max(case when grid_boundary = 'direct' then gco2e_per_kwh end) as told_direct_gco2e_per_kwh,
        max(case when grid_boundary = 'lifecycle' and is_estimated then 1 else 0 end) as is_whole_estimated,
        max(case when is_estimated then 1 else 0 end) as is_any_estimated
    from intensity
    group by usage_date, zone, usage_hour_utc, grid_source, source_order, publisher, is_alone

),

bounded as (

    select
        *,
        whole_gco2e_per_kwh is not null as is_whole,
        case when whole_gco2e_per_kwh is null then 'direct' else 'lifecycle' end as grid_boundary
    from beside
    -- else an hour that is told directly alone would mix two publishers
    where whole_gco2e_per_kwh is not null or is_alone

),

ranked as (

    select
        *,
        row_number() over (
            partition by usage_date, zone, usage_hour_utc order by is_whole desc, source_order, publisher
        ) as hour_rank,
        row_number() over (
            partition by usage_date, zone, usage_hour_utc, grid_source order by is_whole desc, publisher
        ) as rank_of_source
    from bounded

),

hourly as (

    select
        usage_date,
        zone,
        usage_hour_utc,
        coalesce(whole_gco2e_per_kwh, told_direct_gco2e_per_kwh) as gco2e_per_kwh,
        case when is_whole_estimated = 1 or (is_any_estimated = 1 and not is_whole) then 'hourly_estimated'
            else 'hourly_measured' end as grid_rung,
        grid_source,
        grid_boundary,
        grid_source || case when publisher <> grid_source then '/' || publisher else '' end
            || '/' || zone || '/' || grid_boundary as grid_factor_id,
        case when told_direct_gco2e_per_kwh <= whole_gco2e_per_kwh then told_direct_gco2e_per_kwh end
            as direct_gco2e_per_kwh,
        case
            when not is_whole then 'direct_only'
            when told_direct_gco2e_per_kwh is null then 'not_delivered'
            when told_direct_gco2e_per_kwh > whole_gco2e_per_kwh then 'above_lifecycle'
        end as direct_gap_reason,
        -- what a site without a pin takes: the whole life, from the source that is preferred
        hour_rank = 1 and is_whole as is_first
    from ranked
    where rank_of_source = 1

)

select * from hourly
