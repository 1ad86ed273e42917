-- One row per disclosure and unit.
with

landed as (select * from {{ source('disclosures', 'figures') }}),

renamed as (

    select
        disclosure_id,
        provider,
        model as model_reported,
        unit,
        unit_count,
        energy,
        energy_low,
        energy_high,
        gsd_ratio,
        energy_unit,
        statistic,
        pue,
        host,
        idle,
        embodied,
        upstream,
        assurance,
        source_title,
        source_url,
        valid_from,
        valid_to,
        basis,
        kwh_per_unit_low,
        kwh_per_unit,
        kwh_per_unit_high,
        factor_gsd_ratio,
        boundary_flags,
        quarantine_reason
    from landed

)

select * from renamed
