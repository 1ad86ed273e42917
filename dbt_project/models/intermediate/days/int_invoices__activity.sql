-- One row per day x vendor x workflow: the day's part of what invoices say was paid for its period.
{{ config(materialized='ephemeral') }}

with

lines as (select * from {{ ref('stg_invoices__lines') }}),

days as (select number from {{ whole_numbers(1101) }} as numbers),

-- whole billionths, rounded down at both ends of a day, so that the days of a period add up to its invoice
parts as (

    select
        {{ add_days('lines.period_start_date', 'cast(days.number as integer)') }} as usage_date,
        lines.provider,
        cast(null as varchar) as model_reported,
        cast(null as varchar) as project_id,
        lines.workflow_id as workflow_tag,
        {{ usd_from_nano(part_between('lines.amount_nano_usd', 'days.number', 'days.number + 1', 'lines.day_count')) }}
            as cost_usd
    from lines
    inner join days on days.number < lines.day_count

),

activity as ({{ spend_activity('parts', 'invoices') }})

select * from activity
