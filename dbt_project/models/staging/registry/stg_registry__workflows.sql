-- One row per workflow.

with

landed as (select * from {{ source('registry', 'workflows') }}),

renamed as (

    select
        workflow_id, workflow_name, team_id, owner, job_description, usefulness_class, latency_tier,
        cacheable, small_model_fit, expected_monthly_calls, review_due_date, status, valid_from, valid_to,
        sector_tag
    from landed

)

select * from renamed
