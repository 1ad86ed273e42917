-- One row per attempt at a ceiling that was refused.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('registry', 'refused_attempts') }}),

renamed as (

    select
        attempt_id, attempted_at_utc, path, statement, ceiling_id, perimeter_type, perimeter_id, metric, period_start,
        period_end, limit_quantity, field, rule, fix
    from landed

)

select * from renamed
