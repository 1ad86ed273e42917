-- One row per model that the organisation described itself.

with

landed as (select * from {{ source('settings', 'models') }}),

renamed as (

    select provider, model, size_class
    from landed

)

select * from renamed
