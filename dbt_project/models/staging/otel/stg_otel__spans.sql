-- One row per model call that a trace tells of, failures included.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('otel', 'spans') }}),

renamed as (

    select
        trace_id,
        span_id,
        cast(dt as date) as landed_date,
        -- landing puts every call into the file of the day on which it ended
        cast(dt as date) as usage_date,
        date_trunc('hour', ended_at_utc) as usage_hour_utc,
        ended_at_utc,
        duration_seconds,
        -- instrumentations of one vendor differ in capitals alone
        lower(provider) as provider,
        model as model_reported,
        service_name as project_id,
        pod,
        node,
        workflow_tag,
        vendor_request_id,
        vendor_side as is_vendor_side,
        {{ input_without_cache() }} as input_tokens,
        cached_input_tokens,
        cache_write_input_tokens,
        output_tokens,
        reasoning_output_tokens,
        status
    from landed

)

select * from renamed
