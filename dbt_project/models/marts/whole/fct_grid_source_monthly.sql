-- One row per month x grid zone x source x rung: whose intensities the carbon of a month rests on.

with

hourly as (select * from {{ ref('int_site_energy__hourly') }}),

monthly as (

    select
        cast(date_trunc('month', usage_date) as date) as usage_month, grid_zone,
        coalesce(grid_source, 'none') as grid_source, grid_rung, coalesce(grid_boundary, 'none') as grid_boundary,
        cast(count(distinct usage_hour_utc) as decimal(38, 0)) as hour_count,
        cast(sum(energy_kwh) as decimal(38, 9)) as energy_kwh,
        cast(sum(case when direct_gap_reason is null then energy_kwh else 0 end) as decimal(38, 9)) as direct_known_kwh
    from hourly
    group by date_trunc('month', usage_date), grid_zone, coalesce(grid_source, 'none'), grid_rung,
        coalesce(grid_boundary, 'none')

),

-- the source that most of a zone's energy of the month rests on; measured and estimated hours of one publisher are one
sourced as (

    select usage_month, grid_zone, grid_source, grid_boundary, sum(energy_kwh) as energy_kwh
    from monthly
    group by usage_month, grid_zone, grid_source, grid_boundary

),

ranked as (

    select
        *,
        row_number() over (partition by usage_month, grid_zone order by energy_kwh desc, grid_source, grid_boundary)
            as source_rank
    from sourced

),

pinned as (

    select
        usage_month, grid_zone, grid_source, grid_boundary,
        lag(grid_source || '/' || grid_boundary) over (partition by grid_zone order by usage_month) as source_before
    from ranked
    where source_rank = 1

),

flagged as (

    select
        monthly.usage_month, monthly.grid_zone, monthly.grid_source, monthly.grid_rung, monthly.grid_boundary,
        monthly.hour_count, monthly.energy_kwh, monthly.direct_known_kwh,
        -- a trend over this month and the one before is also a change of source
        coalesce(pinned.source_before <> monthly.grid_source || '/' || monthly.grid_boundary, false) as is_switch
    from monthly
    inner join pinned on monthly.usage_month = pinned.usage_month and monthly.grid_zone = pinned.grid_zone

)

select * from flagged
