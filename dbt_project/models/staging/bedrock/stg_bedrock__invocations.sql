-- One row per request to a model of Bedrock.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('bedrock', 'invocations') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        date_trunc('hour', started_at_utc) as usage_hour_utc,
        {{ bedrock_model('model') }} as model_reported,
        account_id as project_id,
        workflow_tag,
        -- the region that answered is where electricity was used
        'aws:' || coalesce(inference_region, region) as cloud_region,
        'aws:' || region as called_region,
        case when error_code is null then 0 else 1 end as error_count,
        input_tokens,
        cached_input_tokens,
        cache_write_input_tokens,
        output_tokens
    from landed

)

select * from renamed
