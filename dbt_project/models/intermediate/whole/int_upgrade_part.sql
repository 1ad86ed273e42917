-- One row per month x factor of lesser evidence x factor of the total: the organisation's parts, were that one a rung better.

with

parts as (

    select
        cast(date_trunc('month', usage_date) as date) as total_date, factor_id, method, is_only_bounded,
        sum(part_low) as part_low, sum(part_quantity) as part_quantity, sum(part_high) as part_high
    from {{ ref('int_range_part__daily') }}
    where perimeter_type = 'organisation' and metric = 'energy_kwh'
    group by date_trunc('month', usage_date), factor_id, method, is_only_bounded

),

factors as (select * from {{ ref('dim_factor') }}),

tiers as (select * from {{ ref('evidence_tier') }} where {{ in_force('factor_set') }}),

upgradable as (

    select parts.total_date, parts.factor_id as upgraded_factor_id, tiers.interval_ratio
    from parts
    inner join factors on parts.factor_id = factors.factor_id
    inner join tiers on factors.evidence_tier - 1 = tiers.evidence_tier
    where not parts.is_only_bounded

),

upgraded as (

    select
        parts.total_date, upgradable.upgraded_factor_id, parts.factor_id, parts.method, parts.is_only_bounded,
        -- better evidence may move the middle, which cannot be foreseen; it narrows the range about it
        case
            when parts.factor_id = upgradable.upgraded_factor_id and not parts.is_only_bounded
                then greatest(parts.part_low, cast(parts.part_quantity / upgradable.interval_ratio as decimal(38, 12)))
            else parts.part_low
        end as part_low,
        parts.part_quantity,
        case
            when parts.factor_id = upgradable.upgraded_factor_id and not parts.is_only_bounded
                then least(parts.part_high, cast(parts.part_quantity * upgradable.interval_ratio as decimal(38, 12)))
            else parts.part_high
        end as part_high
    from parts
    inner join upgradable on parts.total_date = upgradable.total_date

)

select * from upgraded
