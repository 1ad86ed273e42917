-- One row per hour x service x pod x host x tag x model, from metrics alone: what they say, whether it is booked or not.
{{ config(materialized='ephemeral') }}

with

usage as (select * from {{ ref('stg_otel_metrics__usage') }}),

activity as (

    select
        {{ activity_columns('otel_metrics',
            named=['provider', 'model_reported', 'project_id', 'workflow_tag', 'pod', 'node', 'call_count', 'error_count',
                'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens', 'reasoning_output_tokens']) }},
        is_counted_first
    from usage

)

select * from activity
