-- One row per workload review that was answered.

with

landed as (select * from {{ source('registry', 'reviews') }}),

renamed as (

    select review_id, change_id, after_days, outcome, decided_by, decided_at_utc, reason
    from landed

)

select * from renamed
