-- One row per request through a LiteLLM proxy.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('litellm', 'requests') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        date_trunc('hour', started_at_utc) as usage_hour_utc,
        {{ gateway_provider('provider_word', 'model', 'api_host') }} as provider,
        {{ gateway_model('model') }} as model_reported,
        api_key_hash as api_key_id,
        team_id as project_id,
        workflow_tag,
        -- the word may say otherwise of an answer that a cache gave further in; the id does not
        coalesce(lower(cache_hit), '') = 'true' or request_id like '%!_cache!_hit%' escape '!' as is_cache_hit,
        prompt_tokens + completion_tokens > 0 or not {{ is_litellm_errand('call_type') }} as runs_a_model,
        coalesce(call_type, '') like '%batch%' as is_batch,
        case when call_type like '%batch%' then batch_ok_count + batch_failed_count else 1 end as call_count,
        case when call_type like '%batch%' then batch_failed_count when status = 'failure' then 1 else 0 end as error_count,
        {{ fresh_input_tokens('prompt_tokens', 'coalesce(cached_tokens, 0)', 'coalesce(cache_write_tokens, 0)') }}
            as input_tokens,
        coalesce(cached_tokens, 0) as cached_input_tokens,
        coalesce(cache_write_tokens, 0) as cache_write_input_tokens,
        completion_tokens as output_tokens,
        reasoning_tokens as reasoning_output_tokens,
        spend_usd as cost_usd
    from landed

)

select * from renamed
