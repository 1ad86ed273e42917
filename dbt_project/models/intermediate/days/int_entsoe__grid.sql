-- One row per grid zone x hour x boundary: the intensity of what ENTSO-E says was generated there.
{{ config(materialized="ephemeral") }}

with

told as (select * from {{ ref('stg_entsoe__generation') }}),

fuels as (select * from {{ ref('grid_fuel') }} where grid_source = 'entsoe' and {{ in_force('factor_set') }}),

generation as (

    select
        usage_date, zone, date_trunc('hour', start_utc) as usage_hour_utc, fuel_code,
        -- an hour of which a step is missing is not known; sixtieths, because a mix asks for shares alone
        case when sum(period_minutes) = 60 then sum(generation_mw * period_minutes) end as mwh
    from told
    group by usage_date, zone, date_trunc('hour', start_utc), fuel_code

),
{{ mix_intensity('entsoe') }}
select * from grid
