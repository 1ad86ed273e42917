-- One row per hour x service x pod x host x tag x model, from metrics: those whose calls no span tells.
{{ config(materialized='ephemeral') }}

with

spans as (select * from {{ ref('stg_otel__spans') }}),

metrics as (select * from {{ ref('int_otel_metrics__activity') }} where {{ in_days('usage_date') }}),

-- what spans told of the last hour of a day may come as metrics after midnight
seen as (

    select coalesce(project_id, '') as service, usage_date, 24 as first_hours
    from spans
    where not is_vendor_side and {{ in_days('usage_date') }}

    union all

    select coalesce(project_id, '') as service, {{ add_days('usage_date', 1) }} as usage_date, 1 as first_hours
    from spans
    where not is_vendor_side and {{ in_days(add_days('usage_date', 1)) }} and extract(hour from usage_hour_utc) = 23

),

traced as (

    select service, usage_date, max(first_hours) as first_hours
    from seen
    group by service, usage_date

),

-- a vendor that tells of every request by itself leaves nothing of its models to metrics
vendors as (select distinct provider, usage_date from spans where is_vendor_side and {{ in_days('usage_date') }}),

booked as (

    select metrics.*
    from metrics
    left join traced
        on coalesce(metrics.project_id, '') = traced.service and metrics.usage_date = traced.usage_date
    left join vendors on metrics.provider = vendors.provider and metrics.usage_date = vendors.usage_date
    where metrics.is_counted_first
        or vendors.provider is null and extract(hour from metrics.usage_hour_utc) >= coalesce(traced.first_hours, 0)

)

select * from booked
