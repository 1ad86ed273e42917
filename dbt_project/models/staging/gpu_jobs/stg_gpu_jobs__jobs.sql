-- One row per job x UTC day in which it ran; the job is whole in each.
with

landed as (select * from {{ source('gpu_jobs', 'jobs') }}),

renamed as (

    select
        usage_date,
        job_id,
        run_id,
        experiment_id,
        workflow_tag,
        lifecycle_stage,
        model_id,
        started_at_utc,
        ended_at_utc,
        state,
        gpu_model,
        gpu_count,
        nodes,
        pod,
        is_exclusive,
        output_tokens,
        superseded_by,
        {{ unix_milliseconds('started_at_utc') }} as started_ms,
        {{ unix_milliseconds('ended_at_utc') }} as ended_ms,
        cast(energy_j * 1000 as bigint) as energy_millijoules,
        cast(dt as date) as landed_date
    from landed

)

select * from renamed
