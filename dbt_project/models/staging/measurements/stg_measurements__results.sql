-- One row per measurement.
{{ config(materialized='ephemeral') }}
with

landed as (select * from {{ source('measurements', 'results') }}),

renamed as (

    select
        measurement_id,
        comparison_id,
        subject,
        phase,
        tested_condition,
        energy_wh_per_unit_low,
        energy_wh_per_unit,
        energy_wh_per_unit_high,
        unit,
        energy_boundary,
        hardware,
        driver,
        serving_stack,
        stack_version,
        model,
        precision,
        batch_size,
        input_tokens,
        output_tokens,
        measured_date,
        measured_by,
        evidence
    from landed

)

select * from renamed
