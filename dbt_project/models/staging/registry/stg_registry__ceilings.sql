-- One row per ceiling.

with

landed as (select * from {{ source('registry', 'ceilings') }}),

renamed as (

    select
        ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end, limit_quantity,
        adopted_by, adopted_at_utc, reason, evidence
    from landed

)

select * from renamed
