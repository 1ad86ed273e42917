-- One row per question to the gate whose calls were denied.

with

landed as (select * from {{ source('denied_calls', 'questions') }}),

renamed as (

    select
        cast(dt as date) as usage_date, denial_id, denied_at_utc, workflow_id, usefulness_class, provider, action,
        ceiling_id, rule_id, build_id, calls as call_count
    from landed

)

select * from renamed
