-- One row per model call, retries and failures included.

with

landed as (select * from {{ source('call_log', 'calls') }}),

renamed as (

    select
        request_id,
        cast(dt as date) as landed_date,
        -- landing puts every call into the file of its own day; named by the folder, whole files can be skipped
        cast(dt as date) as usage_date,
        date_trunc('hour', started_at_utc) as usage_hour_utc,
        started_at_utc,
        provider,
        model as model_reported,
        api_key_id,
        project_id,
        workflow_tag,
        {{ input_without_cache() }} as input_tokens,
        coalesce(cached_input_tokens, 0) as cached_input_tokens,
        coalesce(cache_write_input_tokens, 0) as cache_write_input_tokens,
        output_tokens,
        reasoning_output_tokens,
        image_count,
        audio_seconds,
        video_seconds,
        duration_seconds,
        run_id,
        step_kind,
        serving_mode,
        status,
        attempt,
        call_purpose,
        lifecycle_stage,
        cost_usd
    from landed

)

select * from renamed
