-- One row per hour x service x pod x host x tag x model, from traces: of the days of this run only.
{{ config(materialized='ephemeral') }}

with

spans as (select * from {{ ref('stg_otel__spans') }}),

of_vendor as (select * from spans where is_vendor_side and {{ in_days('usage_date') }}),

-- requests of which the caller told as well: its span may end after the next midnight
told as (

    select distinct vendor_request_id
    from spans
    where not is_vendor_side
        and ({{ in_days('usage_date') }} or {{ in_days(add_days('usage_date', -1)) }})
        and vendor_request_id in (select vendor_request_id from of_vendor)

),

calls as (

    select * from spans where not is_vendor_side and {{ in_days('usage_date') }}

    union all

    select of_vendor.*
    from of_vendor
    left join told on of_vendor.vendor_request_id = told.vendor_request_id
    where told.vendor_request_id is null

),

activity as (

    select
        usage_date,
        usage_hour_utc,
        'otel' as source,
        provider,
        model_reported,
        cast(null as varchar) as api_key_id,
        project_id,
        workflow_tag,
        pod,
        node,
        'inference' as lifecycle_stage,
        'unknown' as call_purpose,
        cast(null as varchar) as serving_mode,
        'direct' as energy_line,
        cast(null as varchar) as meter_method,
        count(*) as call_count,
        cast(null as bigint) as retry_count,
        sum(case when status = 'error' then 1 else 0 end) as error_count,
        sum(input_tokens) as input_tokens,
        sum(cached_input_tokens) as cached_input_tokens,
        sum(cache_write_input_tokens) as cache_write_input_tokens,
        sum(output_tokens) as output_tokens,
        sum(reasoning_output_tokens) as reasoning_output_tokens,
        0 as gpu_seconds,
        {{- not_told(['image_count', 'audio_seconds', 'video_seconds', 'energy_millijoules']) }},
        cast(null as decimal(18, 9)) as cost_usd
    from calls
    group by usage_date, usage_hour_utc, provider, model_reported, project_id, workflow_tag, pod, node

)

select * from activity
