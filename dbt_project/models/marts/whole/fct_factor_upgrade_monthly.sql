-- One row per month x factor: how much narrower the organisation's range would be if its evidence were a rung better.

with

upgraded as (select * from {{ ref('int_total_range') }} where total_kind = 'upgrade'),

now as (

    select * from {{ ref('fct_range_monthly') }}
    where perimeter_type = 'organisation' and metric = 'energy_kwh'

),

factors as (select * from {{ ref('dim_factor') }}),

used as (

    select cast(date_trunc('month', usage_date) as date) as usage_month, factor_id, sum(part_quantity) as energy_kwh
    from {{ ref('int_range_part__daily') }}
    where perimeter_type = 'organisation' and metric = 'energy_kwh' and not is_only_bounded
    group by date_trunc('month', usage_date), factor_id

),

reckoned as (

    select
        now.usage_month,
        upgraded.subject_id as factor_id,
        factors.method,
        factors.evidence_tier,
        factors.evidence_tier - 1 as upgraded_tier,
        cast(used.energy_kwh as decimal(38, 9)) as energy_kwh,
        {{ ratio('used.energy_kwh', 'now.central') }} as energy_ratio,
        now.low as total_low_kwh,
        now.central as total_kwh,
        now.high as total_high_kwh,
        -- drawn ends have six digits, and better evidence never widens a range
        cast(least(greatest(upgraded.total_low, now.low), now.central) as decimal(38, 9)) as upgraded_low_kwh,
        cast(greatest(least(upgraded.total_high, now.high), now.central) as decimal(38, 9)) as upgraded_high_kwh
    from upgraded
    inner join now on upgraded.total_date = now.usage_month
    inner join factors on upgraded.subject_id = factors.factor_id
    inner join used on upgraded.total_date = used.usage_month and upgraded.subject_id = used.factor_id

),

ranked as (

    select
        *,
        {{ ratio('((total_high_kwh - total_low_kwh) - (upgraded_high_kwh - upgraded_low_kwh))',
            '(total_high_kwh - total_low_kwh)') }} as width_reduction_ratio
    from reckoned

)

select * from ranked
