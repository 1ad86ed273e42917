-- One row per price of carbon on a perimeter.

with

landed as (select * from {{ source('registry', 'levies') }}),

renamed as (

    select
        levy_id, levy_kind, perimeter_type, perimeter_id, basis, price_per_tonne, currency, adopted_by,
        valid_from, valid_to
    from landed

)

select * from renamed
