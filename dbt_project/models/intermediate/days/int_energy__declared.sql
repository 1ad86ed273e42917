-- One row per attributed activity of devices: its energy as the organisation declared it, in the range that it declared.
{{ config(materialized='ephemeral') }}

with

activity as (select * from {{ ref('int_activity__placed') }} where meter_method = 'declared'),

powers as (

    select distinct usage_date, provider, device_type, factor_id, low_ratio, high_ratio
    from {{ ref('stg_devices__fleet') }}
    where {{ in_days('usage_date') }}

),

declared as (

    select
        activity.*, powers.factor_id, powers.low_ratio, powers.high_ratio,
        {{ millijoules_to_kwh('activity.energy_millijoules') }} as declared_kwh
    from activity
    inner join powers
        on activity.usage_date = powers.usage_date
        and activity.provider = powers.provider
        and activity.model_canonical = powers.device_type

),

energy as (

    select
        {{ energy_columns('declared') }},
        factor_id,
        5 as evidence_tier,
        cast(null as varchar) as gap_reason,
        cast(declared_kwh * low_ratio as decimal(24, 9)) as energy_kwh_low,
        cast(declared_kwh as decimal(24, 9)) as energy_kwh,
        cast(declared_kwh * high_ratio as decimal(24, 9)) as energy_kwh_high,
        cast(null as decimal(24, 9)) as embodied_gco2e,
        cast(null as decimal(12, 6)) as onsite_water_litres_per_kwh
    from declared

)

select * from energy
