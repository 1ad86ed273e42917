-- One row per hour x project x API key x model x batch or not x service tier.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('openai', 'completions') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        -- a first bucket may begin within its hour
        date_trunc('hour', {{ from_unix_seconds('start_time') }}) as usage_hour_utc,
        project_id,
        api_key_id,
        model as model_reported,
        batch,
        service_tier,
        num_model_requests as call_count,
        -- OpenAI counts tokens read from and written to a cache as input too; here each token is counted once
        input_tokens - coalesce(input_cached_tokens, 0) - coalesce(input_cache_write_tokens, 0) as input_tokens,
        coalesce(input_cached_tokens, 0) as cached_input_tokens,
        coalesce(input_cache_write_tokens, 0) as cache_write_input_tokens,
        output_tokens
    from landed

)

select * from renamed
