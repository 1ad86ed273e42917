-- One row per source that is switched on.

with

landed as (select * from {{ source('settings', 'sources') }}),

renamed as (

    select source, site as site_id
    from landed

)

select * from renamed
