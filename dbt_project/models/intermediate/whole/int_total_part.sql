-- One row per total x factor x whether it is only bounded: the parts of every total whose joint range is drawn.
{{ config(materialized='table') }}

{%- set labels = 'total_kind, subject_id, perimeter_type, perimeter_id, metric, total_date, factor_id, method, is_only_bounded' %}

with

parts as (select * from {{ ref('int_range_part__daily') }}),

ceilings as (select * from {{ ref('int_ceiling_part__daily') }}),

factors as (select * from {{ ref('dim_factor') }}),

monthly as (

    select
        'month' as total_kind, perimeter_type || '/' || perimeter_id as subject_id, perimeter_type, perimeter_id, metric,
        cast(date_trunc('month', usage_date) as date) as total_date, factor_id, method, is_only_bounded,
        sum(part_low) as part_low, sum(part_quantity) as part_quantity, sum(part_high) as part_high,
        null as limit_quantity, null as spread_ratio
    from parts
    where metric in ('energy_kwh', 'location_kgco2e') and perimeter_type in ('organisation', 'team', 'workflow')
    group by perimeter_type, perimeter_id, metric, date_trunc('month', usage_date), factor_id, method, is_only_bounded

),

used as (

    select
        'ceiling_used' as total_kind, ceiling_id as subject_id, perimeter_type, perimeter_id, metric,
        usage_date as total_date, factor_id, method, is_only_bounded,
        used_low as part_low, used_quantity as part_quantity, used_high as part_high,
        null as limit_quantity, null as spread_ratio
    from ceilings

),

-- the days to come use what the last four weeks used, factor by factor, brought to the forecast of the whole
forecast as (

    select
        'ceiling_forecast' as total_kind, ceiling_id as subject_id, perimeter_type, perimeter_id, metric,
        usage_date as total_date, factor_id, method, is_only_bounded,
        used_low + recent_low * days_left * growth_ratio as part_low,
        used_quantity + recent_quantity * days_left * growth_ratio as part_quantity,
        used_high + recent_high * days_left * growth_ratio as part_high,
        limit_quantity, spread_ratio
    from ceilings

),

upgraded as (

    select
        'upgrade' as total_kind, upgraded_factor_id as subject_id, 'organisation' as perimeter_type,
        'organisation' as perimeter_id, 'energy_kwh' as metric, total_date, factor_id, method, is_only_bounded,
        part_low, part_quantity, part_high,
        null as limit_quantity, null as spread_ratio
    from {{ ref('int_upgrade_part') }}

),

totals as (

    select * from monthly
    union all
    select * from upgraded
    union all
    select * from used
    union all
    select * from forecast

),

rounded as (

    select
        {{ labels.replace(' factor_id, method', ' totals.factor_id, totals.method') }},
        -- what is wrong together: models of assumed sizes, and a host's or a site's share with the boards it is a share of
        coalesce(factors.correlation_group, totals.factor_id) as error_group,
        case when factors.provider in ('hardware', 'site') then 'hardware' else totals.method end as error_method,
        -- what is only bounded has no low end and no middle, which the running sums of a ceiling made zeros
        cast(case when not is_only_bounded then part_low end as decimal(38, 12)) as part_low,
        cast(case when not is_only_bounded then part_quantity end as decimal(38, 12)) as part_quantity,
        cast(part_high as decimal(38, 12)) as part_high,
        cast(limit_quantity as decimal(38, 9)) as limit_quantity,
        cast(spread_ratio as decimal(24, 9)) as spread_ratio
    from totals
    left join factors on totals.factor_id = factors.factor_id

)

select * from rounded
