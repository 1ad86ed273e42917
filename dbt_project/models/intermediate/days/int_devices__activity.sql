-- One row per hour x type of device x site x workflow: a day's declared energy, spread evenly over its hours.
{{ config(materialized='ephemeral') }}

with

fleet as (select * from {{ ref('stg_devices__fleet') }}),

hours as (select number from {{ whole_numbers(24) }} as numbers),

activity as (

    select
        fleet.usage_date,
        cast({{ instant_of_milliseconds(unix_milliseconds('cast(fleet.usage_date as timestamp)') ~ ' + hours.number * 3600000') }}
            as timestamp) as usage_hour_utc,
        'devices' as source,
        fleet.provider,
        fleet.device_type as model_reported,
        cast(null as varchar) as api_key_id,
        cast(null as varchar) as project_id,
        fleet.workflow_id as workflow_tag,
        cast(null as varchar) as pod,
        cast(null as varchar) as node,
        'inference' as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        'declared' as meter_method,
        0 as gpu_seconds,
        {{- not_told(['call_count', 'retry_count', 'error_count', 'input_tokens', 'cached_input_tokens',
            'cache_write_input_tokens', 'output_tokens', 'reasoning_output_tokens', 'image_count', 'audio_seconds',
            'video_seconds']) }},
        {{ part_between('fleet.energy_millijoules', 'hours.number', 'hours.number + 1', '24') }} as energy_millijoules,
        cast(0 as decimal(18, 9)) as cost_usd
    from fleet
    cross join hours

)

select * from activity
