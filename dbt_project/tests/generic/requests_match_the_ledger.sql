{% test requests_match_the_ledger(model) %}
{#- Per day, the histogram holds as many requests as the ledger has calls of the call log, and its energy is the
    ledger's but for the roundings: half a billionth of a kWh per row that was rounded, on either side. Where one call
    of an hour has no rule, the ledger's whole row of that hour is a gap and only that call is one here: such a day may
    hold more energy here, never less. -#}
{%- set bound = 'cast(0.0000000005 as decimal(11, 10)) * (requests.row_count + ledger.row_count)' %}
with

requests as (

    select usage_date, sum(call_count) as call_count, coalesce(sum(energy_kwh), 0) as energy_kwh, count(*) as row_count,
        sum(case when gap_reason = 'no_rule' then 1 else 0 end) as no_rule_count
    from {{ model }}
    where {{ in_days('usage_date') }}
    group by usage_date

),

ledger as (

    select usage_date, sum(call_count) as call_count, coalesce(sum(energy_kwh), 0) as energy_kwh, count(*) as row_count
    from {{ ref('int_footprint__hourly') }}
    where source = 'call_log' and call_count > 0 and {{ in_days('usage_date') }}
    group by usage_date

)

select coalesce(requests.usage_date, ledger.usage_date) as usage_date
from requests
full outer join ledger on requests.usage_date = ledger.usage_date
where requests.usage_date is null or ledger.usage_date is null
    or requests.call_count <> ledger.call_count
    or ledger.energy_kwh - requests.energy_kwh > {{ bound }}
    or (requests.no_rule_count = 0 and requests.energy_kwh - ledger.energy_kwh
        > {{ bound }})
{% endtest %}
