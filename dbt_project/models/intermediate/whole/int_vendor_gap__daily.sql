-- One row per day x provider x pair of sources x quantity: what each of the two says, and how complete its delivery was.
{{ config(materialized='ephemeral') }}

{%- set quantities = reconciled_quantities() %}

with

said as (select * from {{ ref('int_vendor_pair__daily') }}),

tolerances as (select * from {{ ref('reconciliation_tolerance') }}),

receipts as (select * from {{ ref('stg_landing__receipts') }} where is_current),

delivered as (select * from {{ ref('int_delivery__daily') }}),

fetched as (

    select usage_date, source, min(fetched_at_utc) as fetched_at_utc
    from receipts
    group by usage_date, source

),

gaps as (

    select
        said.usage_date, said.provider, tolerances.quantity, said.of_record_source, said.other_source,
        said.is_counted_twice, tolerances.tolerance_ratio, tolerances.final_after_days
        {%- for side in ['of_record', 'other'] %},
        coalesce({{ side }}_day.received_tables, 0) > 0 as has_{{ side }},
        coalesce({{ side }}_day.received_tables < {{ side }}_day.expected_tables, false) as is_{{ side }}_partial,
        {{ side }}_fetched.fetched_at_utc as {{ side }}_fetched_at_utc,
        case
            when coalesce({{ side }}_day.received_tables, 0) = 0 then null
            when said.{{ side }}_count = 0 then 0
            {%- for quantity in quantities %}
            when tolerances.quantity = '{{ quantity }}' then said.{{ side }}_{{ quantity }}
            {%- endfor %}
        end as {{ side }}_quantity
        {%- endfor %},
        coalesce(case
            {%- for quantity in quantities %}
            when tolerances.quantity = '{{ quantity }}' then said.unseen_{{ quantity }}
            {%- endfor %}
        end, 0) as unseen_quantity
    from said
    cross join tolerances
    {%- for side in ['of_record', 'other'] %}
    left join delivered as {{ side }}_day
        on said.usage_date = {{ side }}_day.usage_date and said.{{ side }}_source = {{ side }}_day.source
    left join fetched as {{ side }}_fetched
        on said.usage_date = {{ side }}_fetched.usage_date and said.{{ side }}_source = {{ side }}_fetched.source
    {%- endfor %}

)

select * from gaps
