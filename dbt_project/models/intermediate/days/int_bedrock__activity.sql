-- One row per hour x model x account x tag x region, from invocation logs of Bedrock.
{{ config(materialized='ephemeral') }}

with

calls as (select * from {{ ref('stg_bedrock__invocations') }}),

activity as (

    select
        {#- the node is where it ran #}
        {{ activity_columns('bedrock',
            named=['model_reported', 'project_id', 'workflow_tag'],
            summed=['error_count', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens'],
            provider="'bedrock'", node='cloud_region', call_count='count(*)') }}
    from calls
    group by usage_date, usage_hour_utc, model_reported, project_id, workflow_tag, cloud_region

)

select * from activity
