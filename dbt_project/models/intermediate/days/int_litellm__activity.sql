-- One row per hour x provider x model x virtual key x team x tag x batch or not, from LiteLLM's spend log.
{{ config(materialized='ephemeral') }}

with

-- what the proxy answered from its own cache ran no model, and no vendor counts it
requests as (select * from {{ ref('stg_litellm__requests') }} where runs_a_model and not is_cache_hit),

activity as (

    select
        {#- the log has a row for each attempt and does not say which of them repeat another: retries are unknown #}
        {{ activity_columns('litellm',
            named=['provider', 'model_reported', 'api_key_id', 'project_id', 'workflow_tag'],
            summed=['call_count', 'error_count', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens',
                'reasoning_output_tokens', 'cost_usd'],
            call_purpose="case when is_batch then 'batch' else 'unknown' end",
            serving_mode="cast(case when is_batch then 'batch' end as varchar)") }}
    from requests
    group by usage_date, usage_hour_utc, provider, model_reported, api_key_id, project_id, workflow_tag, is_batch

)

select * from activity
