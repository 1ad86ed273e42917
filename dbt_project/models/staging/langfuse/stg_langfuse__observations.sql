-- One row per generation or embedding.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('langfuse', 'observations') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        date_trunc('hour', started_at_utc) as usage_hour_utc,
        provider,
        {{ gateway_model('model') }} as model_reported,
        project_id,
        workflow_tag,
        case when level = 'ERROR' then 1 else 0 end as error_count,
        input_tokens,
        cached_tokens as cached_input_tokens,
        cache_write_tokens as cache_write_input_tokens,
        output_tokens,
        reasoning_tokens as reasoning_output_tokens,
        cost_usd
    from landed

)

select * from renamed
