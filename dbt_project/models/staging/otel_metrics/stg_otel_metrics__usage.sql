-- One row per hour x service x pod x host x workflow x model: what metrics of model calls grew by.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('otel_metrics', 'usage') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        -- landing puts what was told at midnight into the hour before
        cast(dt as date) as usage_date,
        hour_utc as usage_hour_utc,
        -- instrumentations of one vendor differ in capitals alone
        lower(provider) as provider,
        model as model_reported,
        service_name as project_id,
        pod,
        node,
        workflow_tag,
        counted_first as is_counted_first,
        call_count,
        error_count,
        {{ input_without_cache() }} as input_tokens,
        cached_input_tokens,
        cache_write_input_tokens,
        output_tokens,
        reasoning_output_tokens
    from landed

)

select * from renamed
