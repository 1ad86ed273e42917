{% test lines_sum_to_the_meter(model) %}
{#- The identity of the meter: per day and host the metered lines add up to what the meters read, to the millijoule. -#}
with

lines as (

    select usage_date, host, sum(energy_j) as energy_j from {{ model }} where is_metered group by usage_date, host

),

meters as (

    select usage_date, host, {{ joules_from_millijoules('sum(meter_millijoules)') }} as energy_j
    from {{ ref('int_host_energy__hourly') }}
    where meter_millijoules is not null
    group by usage_date, host

)

select coalesce(lines.usage_date, meters.usage_date) as usage_date, coalesce(lines.host, meters.host) as host
from lines
full outer join meters on lines.usage_date = meters.usage_date and lines.host = meters.host
where lines.host is null or meters.host is null or lines.energy_j <> meters.energy_j
{% endtest %}
