-- One row per change x workflow x review: the days that are compared, and which of them the ledger lacks.

{%- set before_days = var('review_weeks').values() | first %}

with

entries as (select * from {{ ref('int_efficiency_change') }}),

footprint as (select usage_date, workflow_id, source from {{ ref('fct_footprint_daily') }}),

coverage as (select * from {{ ref('fct_coverage_daily') }}),

ledger as (select min(usage_date) as first_date, max(usage_date) as as_of_date from footprint),

sources as (select distinct workflow_id, source from footprint),

missing as (

    select sources.workflow_id, coverage.usage_date
    from coverage
    inner join sources on coverage.source = sources.source
    where coverage.received_tables < coverage.expected_tables

),

spans as (

    {%- for after_days, day_count in var('review_weeks').items() %}

    select
        change_id, workflow_id, change_date, cast({{ after_days }} as integer) as after_days,
        cast({{ day_count }} as integer) as day_count, cast({{ (day_count / before_days) | int }} as decimal(2, 0)) as repeated_count,
        {{ add_days('change_date', '-' ~ before_days) }} as before_first_date,
        {{ add_days('change_date', day_count - 1) }} as after_last_date,
        {{ add_days('change_date', after_days) }} as due_date
    from entries
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

holes as (

    select distinct spans.change_id, spans.workflow_id, spans.after_days
    from spans
    inner join missing
        on spans.workflow_id = missing.workflow_id
        and missing.usage_date >= spans.before_first_date and missing.usage_date <= spans.after_last_date

),

judged as (

    select
        spans.*, ledger.as_of_date,
        case
            when ledger.first_date > spans.before_first_date then 'no_days_before'
            when ledger.as_of_date < spans.after_last_date then 'not_yet'
            when holes.change_id is not null then 'days_missing'
        end as gap_reason
    from spans
    cross join ledger
    left join holes
        on spans.change_id = holes.change_id and spans.workflow_id = holes.workflow_id and spans.after_days = holes.after_days

)

select * from judged
