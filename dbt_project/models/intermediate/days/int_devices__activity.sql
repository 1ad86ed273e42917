-- One row per hour x type of device x site x workflow: a day's declared energy, spread evenly over its hours.
{{ config(materialized='ephemeral') }}

{%- set hour = instant_of_milliseconds(unix_milliseconds('cast(fleet.usage_date as timestamp)') ~ ' + hours.number * 3600000') %}

with

fleet as (select * from {{ ref('stg_devices__fleet') }}),

hours as (select number from {{ whole_numbers(24) }} as numbers),

activity as (

    select
        {{ activity_columns('devices', prefix='fleet.',
            named=['provider'], zero=['cost_usd'], usage_hour_utc='cast(' ~ hour ~ ' as timestamp)',
            model_reported='fleet.device_type', workflow_tag='fleet.workflow_id', meter_method="'declared'",
            energy_millijoules=part_between('fleet.energy_millijoules', 'hours.number', 'hours.number + 1', '24')) }}
    from fleet
    cross join hours

)

select * from activity
