-- One row per hour of Great Britain of which both halves are known: the mean of the two.
{{ config(materialized="ephemeral") }}

with

halves as (select * from {{ ref('stg_neso__intensity') }}),

grid as (

    select
        usage_date,
        'GB' as zone,
        date_trunc('hour', start_utc) as usage_hour_utc,
        -- an hour of which one half is known is not known: the other may be anything
        cast({{ half('sum(actual_gco2_per_kwh)') }} as decimal(12, 6)) as gco2e_per_kwh,
        'direct' as grid_boundary,
        true as is_estimated,
        'neso' as publisher
    from halves
    group by usage_date, date_trunc('hour', start_utc)
    having count(actual_gco2_per_kwh) = 2

)

select * from grid
