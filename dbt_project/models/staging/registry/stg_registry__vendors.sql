-- One row per vendor.

with

landed as (select * from {{ source('registry', 'vendors') }}),

renamed as (

    select vendor_id, vendor_name, providers
    from landed

)

select * from renamed
