-- One row per hour x provider x model x project x tag, from Langfuse's generations and embeddings.
{{ config(materialized='ephemeral') }}

with

calls as (select * from {{ ref('stg_langfuse__observations') }}),

activity as (

    select
        {{ activity_columns('langfuse',
            named=['provider', 'model_reported', 'project_id', 'workflow_tag'],
            summed=['error_count', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens',
                'reasoning_output_tokens', 'cost_usd'],
            call_count='count(*)') }}
    from calls
    group by usage_date, usage_hour_utc, provider, model_reported, project_id, workflow_tag

)

select * from activity
