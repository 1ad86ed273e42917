-- One row per use of what a fee brought.

with

landed as (select * from {{ source('registry', 'levy_uses') }}),

renamed as (

    select use_id, levy_id, used_on_date, amount, purpose, approved_by, evidence
    from landed

)

select * from renamed
