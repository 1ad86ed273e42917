-- One row per ceiling of the registry, also of periods to come: what is limited, and who adopted it, when, why and on what evidence.

with

ceilings as (select * from {{ ref('stg_registry__ceilings') }}),

described as (

    select
        ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end,
        cast(limit_quantity as decimal(38, 9)) as limit_quantity, adopted_by, adopted_at_utc, reason, evidence
    from ceilings

)

select * from described
