-- One row per run x measured window.
with

landed as (select * from {{ source('run_stages', 'windows') }}),

renamed as (

    select
        run_id,
        window_name,
        stage,
        seconds,
        energy_j
    from landed

)

select * from renamed
