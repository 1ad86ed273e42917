-- One row per day x type of device x site x workflow.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('devices', 'fleet') }}),

renamed as (

    select
        cast(dt as date) as usage_date,
        device_type,
        'devices/' || site_id as provider,
        workflow_id,
        -- an hour of a watt is 3.6 million millijoules
        cast(cast(device_count as decimal(9, 0)) * active_hours * active_w * cast(3600000 as decimal(7, 0))
            as decimal(18, 0)) as energy_millijoules,
        active_w_low,
        active_w,
        active_w_high,
        cast(active_w_low / active_w as decimal(12, 6)) as low_ratio,
        cast(active_w_high / active_w as decimal(12, 6)) as high_ratio,
        'devices/' || device_type || '/' || active_w_low || '-' || active_w || '-' || active_w_high || ' W' as factor_id,
        evidence
    from landed

)

select * from renamed
