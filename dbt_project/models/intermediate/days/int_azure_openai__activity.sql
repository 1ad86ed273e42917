-- One row per hour x resource x deployment x model, from Azure Monitor.
{{ config(materialized='ephemeral') }}

with

used as (select * from {{ ref('stg_azure_openai__usage') }}),

activity as (

    select
        {#- what was read from a cache is within the input #}
        {{ activity_columns('azure_openai',
            named=['provider', 'model_reported', 'project_id', 'workflow_tag', 'call_count', 'input_tokens', 'output_tokens'],
            zero=['cached_input_tokens', 'cache_write_input_tokens']) }}
    from used

)

select * from activity
