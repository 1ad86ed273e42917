-- One row per answer of a vendor.

with

landed as (select * from {{ source('registry', 'vendor_answers') }}),

renamed as (

    select answer_id, vendor_id, question, answer, answer_text, evidence_title, evidence_address, answered_on_date
    from landed

)

select * from renamed
