-- One row per day x workflow x outcome type.

with

landed as (select * from {{ source('outcomes', 'outcomes') }}),

renamed as (

    select usage_date, workflow_id, outcome_type, outcome_count, accepted_count, cast(dt as date) as landed_date
    from landed

)

select * from renamed
