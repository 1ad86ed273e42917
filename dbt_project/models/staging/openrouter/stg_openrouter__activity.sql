-- One row per day x model x endpoint x workspace.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('openrouter', 'activity') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        -- with an own key the vendor is one's own, and its report holds the requests too; else OpenRouter buys them itself
        case
            when byok_usage_inference_usd > 0 then {{ gateway_provider('provider_name', 'model') }}
            else 'openrouter'
        end as provider,
        case when byok_usage_inference_usd > 0 then regexp_replace(model_permaslug, '^[^/]*/', '') else model end
            as model_reported,
        workspace_id,
        requests as call_count,
        {{ fresh_input_tokens('prompt_tokens', 'cached_tokens', '0') }} as input_tokens,
        cached_tokens as cached_input_tokens,
        completion_tokens as output_tokens,
        reasoning_tokens as reasoning_output_tokens,
        usage_usd + byok_usage_inference_usd as cost_usd
    from landed

)

select * from renamed
