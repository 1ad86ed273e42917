-- One row per region x step of some minutes.
{{ config(materialized="ephemeral") }}

with

landed as (select * from {{ source('watttime', 'marginal') }}),

renamed as (

    select
        cast(dt as date) as usage_date, zone, region as region_id, point_utc, period_seconds,
        cast({{ g_per_kwh_from_lb_per_mwh('marginal_lb_co2_per_mwh') }} as decimal(12, 6)) as marginal_gco2_per_kwh,
        model_date as model_version
    from landed

)

select * from renamed
