-- One row per rule of the gate.

with

landed as (select * from {{ source('registry', 'gate_rules') }}),

renamed as (

    select
        gate_rule_id, usefulness_class, action, from_ratio, metric, perimeter_type, perimeter_id, adopted_by,
        review_due_date, valid_from, valid_to
    from landed

)

select * from renamed
