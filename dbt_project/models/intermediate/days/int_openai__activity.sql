-- One row per hour x key x project x model x batch or not, from OpenAI's usage; costs are rows of their own, per day.

with

completions as (select * from {{ ref('stg_openai__completions') }}),

embeddings as (select * from {{ ref('stg_openai__embeddings') }}),

costs as (select * from {{ ref('stg_openai__costs') }}),

activity as (

    select
        usage_date, usage_hour_utc, model_reported, api_key_id, project_id,
        case when batch then 'batch' else 'unknown' end as call_purpose,
        case when batch then 'batch' end as serving_mode,
        call_count, input_tokens, cached_input_tokens, cache_write_input_tokens, output_tokens,
        cast(0 as decimal(18, 9)) as cost_usd
    from completions

    union all

    select
        usage_date, usage_hour_utc, model_reported, api_key_id, project_id, 'unknown' as call_purpose, null as serving_mode,
        call_count, input_tokens, 0 as cached_input_tokens, 0 as cache_write_input_tokens, 0 as output_tokens,
        cast(0 as decimal(18, 9)) as cost_usd
    from embeddings

    union all

    select
        usage_date, cast(usage_date as timestamp) as usage_hour_utc, model_reported, api_key_id, project_id,
        'unknown' as call_purpose, null as serving_mode,
        0 as call_count, 0 as input_tokens, 0 as cached_input_tokens, 0 as cache_write_input_tokens, 0 as output_tokens,
        cost_usd
    from costs

),

named as (

    select
        {#- the vendor tells neither retries nor errors nor reasoning apart: they are inside the counts #}
        {{ activity_columns('openai',
            named=['model_reported', 'api_key_id', 'project_id', 'call_purpose', 'call_count', 'input_tokens',
                'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens', 'cost_usd'],
            provider="'openai'", serving_mode='cast(serving_mode as varchar)') }}
    from activity

)

select * from named
