-- One row per hour x project x API key x model.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('openai', 'embeddings') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        -- a first bucket may begin within its hour
        date_trunc('hour', {{ from_unix_seconds('start_time') }}) as usage_hour_utc,
        project_id,
        api_key_id,
        model as model_reported,
        num_model_requests as call_count,
        input_tokens
    from landed

)

select * from renamed
