-- One row per hour x key x project x tag x model x purpose x stage, from call logs: of the days of this run only.
{#- a table, so that millions of calls are summed once for all that read the sums; past days are in int_activity__hourly #}
{{ config(materialized='table') }}

{%- set stage = "coalesce(lifecycle_stage, 'unknown')" %}
{%- set purpose = "case when attempt > 1 then 'retry' else coalesce(call_purpose, 'unknown') end" %}

with

calls as (select * from {{ ref('stg_call_log__calls') }} where {{ in_days('usage_date') }}),

activity as (

    select
        {#- a repeated attempt is a retry whatever it was for: the first attempt carries the purpose #}
        {{ activity_columns('call_log',
            named=['provider', 'model_reported', 'api_key_id', 'project_id', 'workflow_tag', 'serving_mode'],
            summed=['input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens',
                'reasoning_output_tokens', 'image_count', 'audio_seconds', 'video_seconds', 'cost_usd'],
            lifecycle_stage=stage, call_purpose=purpose, call_count='count(*)',
            retry_count='sum(case when attempt > 1 then 1 else 0 end)',
            error_count="sum(case when status = 'error' then 1 else 0 end)") }}
    from calls
    group by
        usage_date, usage_hour_utc, provider, model_reported, api_key_id, project_id, workflow_tag, serving_mode,
        {{ stage }}, {{ purpose }}

)

select * from activity
