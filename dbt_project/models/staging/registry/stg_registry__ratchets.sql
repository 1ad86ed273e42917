-- One row per efficiency change whose proposed ceiling was adopted or declined.

with

landed as (select * from {{ source('registry', 'ratchets') }}),

renamed as (

    select change_id, decision, ceiling_id, limit_before_quantity, limit_quantity, decided_by, decided_at_utc, reason
    from landed

)

select * from renamed
