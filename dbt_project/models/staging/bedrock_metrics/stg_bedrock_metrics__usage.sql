-- One row per hour x region x model or inference profile.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('bedrock_metrics', 'usage') }}),

renamed as (

    select
        cast(dt as date) as usage_date,
        hour_utc as usage_hour_utc,
        {{ bedrock_model('model') }} as model_reported,
        account_id as project_id,
        -- who makes a profile for each workflow is told apart by it
        nullif(regexp_extract(model_id, ':application-inference-profile/(.+)$', 1), '') as workflow_tag,
        'aws:' || region as cloud_region,
        invocation_count + client_error_count + server_error_count + throttle_count as call_count,
        client_error_count + server_error_count + throttle_count as error_count,
        input_tokens,
        cached_input_tokens,
        cache_write_input_tokens,
        output_tokens,
        image_count
    from landed

)

select * from renamed
