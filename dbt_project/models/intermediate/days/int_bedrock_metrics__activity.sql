-- One row per hour x region x model or inference profile, from CloudWatch, where no invocation log tells of the hour.
{{ config(materialized='ephemeral') }}

with

used as (select * from {{ ref('stg_bedrock_metrics__usage') }}),

logs as (

    select distinct usage_date, usage_hour_utc, project_id, called_region from {{ ref('stg_bedrock__invocations') }}

),

records as (

    select count(*) as record_count
    from {{ ref('stg_settings__providers') }}
    where provider = 'bedrock' and system_of_record is not null

),

-- a log holds every call of its account and region. Where a system of record is named it decides, and all metrics stand
-- beside it
unlogged as (

    select used.*
    from used
    cross join records
    left join logs
        on used.usage_date = logs.usage_date
        and used.usage_hour_utc = logs.usage_hour_utc
        and used.project_id = logs.project_id
        and used.cloud_region = logs.called_region
        and records.record_count = 0
    where logs.usage_date is null

),

activity as (

    select
        {{ activity_columns('bedrock_metrics',
            named=['model_reported', 'project_id', 'workflow_tag', 'call_count', 'error_count', 'input_tokens',
                'cached_input_tokens', 'cache_write_input_tokens', 'output_tokens', 'image_count'],
            provider="'bedrock'", node='cloud_region') }}
    from unlogged

)

select * from activity
