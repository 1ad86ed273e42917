-- One row per instrument and period.

with

landed as (select * from {{ source('instruments', 'instruments') }}),

renamed as (

    select
        instrument_id, site_id, market_boundary, kind as instrument_kind, period_start_utc, period_end_utc, mwh,
        gco2e_per_kwh, issued_by, evidence
    from landed

)

select * from renamed
