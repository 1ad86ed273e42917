-- One row per day x source: what was delivered, and how good the evidence for its energy is.

{%- set tiers = [0, 1, 2, 3, 4, 5] %}

with

delivered as (select * from {{ ref('int_delivery__daily') }}),

accounts as (select * from {{ ref('int_account__expected') }}),

footprint as (select * from {{ ref('fct_footprint_daily') }}),

unbooked as (

    select usage_date, source, sum(call_count) as not_of_record_call_count
    from {{ ref('int_activity__hourly') }}
    where not is_of_record
    group by usage_date, source

),

evidence as (

    select
        usage_date,
        source,
        sum(call_count) as call_count,
        sum(case when attribution_method = 'orphan' then call_count else 0 end) as orphan_call_count,
        sum(case when gap_reason = 'metered_elsewhere' then call_count else 0 end) as metered_elsewhere_call_count,
        sum(case when gap_reason not in ('metered_elsewhere') then call_count else 0 end) as gap_call_count,
        {%- for tier in tiers %}
        sum(case when evidence_tier = {{ tier }} then call_count else 0 end) as tier_{{ tier }}_call_count,
        sum(case when evidence_tier = {{ tier }} then energy_kwh else 0 end) as tier_{{ tier }}_energy_kwh,
        {%- endfor %}
        sum(energy_kwh) as energy_kwh
    from footprint
    group by usage_date, source

),

coverage as (

    select
        delivered.usage_date,
        delivered.source,
        cast(delivered.expected_tables as bigint) as expected_tables,
        cast(delivered.received_tables as bigint) as received_tables,
        cast(delivered.received_rows as bigint) as received_rows,
        {%- for name in ['expected_account_count', 'received_account_count', 'received_account_hour_count'] %}
        accounts.{{ name }},
        {%- endfor %}
        {%- for name in ['call_count', 'orphan_call_count', 'metered_elsewhere_call_count', 'gap_call_count'] %}
        cast(evidence.{{ name }} as decimal(38, 0)) as {{ name }},
        {%- endfor %}
        cast(unbooked.not_of_record_call_count as decimal(38, 0)) as not_of_record_call_count,
        {%- for tier in tiers %}
        cast(evidence.tier_{{ tier }}_call_count as decimal(38, 0)) as tier_{{ tier }}_call_count,
        cast(evidence.tier_{{ tier }}_energy_kwh as decimal(38, 9)) as tier_{{ tier }}_energy_kwh,
        {%- endfor %}
        cast(evidence.energy_kwh as decimal(38, 9)) as energy_kwh,
        {{ ratio('evidence.orphan_call_count', 'evidence.call_count') }} as orphan_call_ratio
    from delivered
    left join accounts on delivered.usage_date = accounts.usage_date and delivered.source = accounts.source
    left join evidence on delivered.usage_date = evidence.usage_date and delivered.source = evidence.source
    left join unbooked on delivered.usage_date = unbooked.usage_date and delivered.source = unbooked.source

)

select * from coverage
