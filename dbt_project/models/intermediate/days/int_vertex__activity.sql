-- One row per hour x project x location x model, from Cloud Monitoring.
{{ config(materialized='ephemeral') }}

with

used as (select * from {{ ref('stg_vertex__usage') }}),

activity as (

    select
        {#- the node is where it ran; what was read from a cache is within the input #}
        {{ activity_columns('vertex',
            named=['model_reported', 'project_id', 'call_count', 'error_count', 'input_tokens', 'output_tokens'],
            zero=['cached_input_tokens', 'cache_write_input_tokens'],
            provider="'vertex'", node='cloud_region') }}
    from used

)

select * from activity
