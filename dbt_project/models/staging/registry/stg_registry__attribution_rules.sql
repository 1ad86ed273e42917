-- One row per attribution rule.

with

landed as (select * from {{ source('registry', 'attribution_rules') }}),

renamed as (

    select rule_id, match_type, source, match_value, workflow_id, share, valid_from, valid_to
    from landed

)

select * from renamed
