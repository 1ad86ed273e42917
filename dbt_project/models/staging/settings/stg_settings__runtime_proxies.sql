-- One row per GPU model x day from which a frozen fit of the run-time proxy counts.

with

landed as (select * from {{ source('settings', 'runtime_proxies') }}),

renamed as (

    select gpu_model, low_w, fitted_w, high_w, gsd_ratio, metered_hours, fitted_from_date, fitted_to_date, valid_from
    from landed

)

select * from renamed
