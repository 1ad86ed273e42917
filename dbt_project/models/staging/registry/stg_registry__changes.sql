-- One row per efficiency change x workflow.

with

landed as (select * from {{ source('registry', 'changes') }}),

renamed as (

    select
        change_id, workflow_id, change_type, change_date, expected_saving_ratio, expected_source, design, owner, origin,
        valid_from, valid_to
    from landed

)

select * from renamed
