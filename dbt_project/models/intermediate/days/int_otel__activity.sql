-- One row per hour x service x pod x host x tag x model, from traces and, where there are none, from metrics.
{{ config(materialized='ephemeral') }}

{%- set labels = ['provider', 'model_reported', 'project_id', 'workflow_tag', 'pod', 'node'] %}
{%- set counts = ['call_count', 'error_count', 'input_tokens', 'cached_input_tokens', 'cache_write_input_tokens',
    'output_tokens', 'reasoning_output_tokens'] %}

with

spans as (select * from {{ ref('stg_otel__spans') }}),

metrics as (select * from {{ ref('int_otel_metrics__booked') }}),

-- traces of these services are a sample, say: their metrics are booked
counted_first as (select distinct coalesce(project_id, '') as service, usage_date from metrics where is_counted_first),

of_vendor as (select * from spans where is_vendor_side and {{ in_days('usage_date') }}),

of_caller as (

    select spans.*
    from spans
    left join counted_first
        on coalesce(spans.project_id, '') = counted_first.service and spans.usage_date = counted_first.usage_date
    where not spans.is_vendor_side and {{ in_days('spans.usage_date') }} and counted_first.service is null

),

-- requests of which the caller told as well: its span may end after the next midnight
told as (

    select distinct vendor_request_id
    from spans
    where not is_vendor_side
        and ({{ in_days('usage_date') }} or {{ in_days(add_days('usage_date', -1)) }})
        and vendor_request_id in (select vendor_request_id from of_vendor)

),

calls as (

    select * from of_caller

    union all

    select of_vendor.*
    from of_vendor
    left join told on of_vendor.vendor_request_id = told.vendor_request_id
    where told.vendor_request_id is null

),

counted as (

    select
        usage_date, usage_hour_utc, {{ labels | join(', ') }},
        1 as call_count, case when status = 'error' then 1 else 0 end as error_count, {{ counts[2:] | join(', ') }}
    from calls

    union all

    select usage_date, usage_hour_utc, {{ (labels + counts) | join(', ') }}
    from metrics

),

activity as (

    select
        {{ activity_columns('otel', named=labels, summed=counts) }}
    from counted
    group by usage_date, usage_hour_utc, {{ labels | join(', ') }}

)

select * from activity
