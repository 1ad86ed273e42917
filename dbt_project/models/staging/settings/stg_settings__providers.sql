-- One row per provider of models.

with

landed as (select * from {{ source('settings', 'providers') }}),

renamed as (

    select provider, site as site_id, system_of_record, energy_from, gpu_model, catalogue
    from landed

)

select * from renamed
