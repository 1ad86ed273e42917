-- One row per day x ceiling: used so far and forecast, with the joint ranges of the estimate.

with

ceilings as (select * from {{ ref('int_ceiling__daily') }}),

outlook as (select * from {{ ref('int_ceiling_outlook__daily') }}),

{%- for kind in ['used', 'forecast'] %}

{{ kind }} as (select * from {{ ref('int_total_range') }} where total_kind = 'ceiling_{{ kind }}'),
{%- endfor %}

ranged as (

    select
        ceilings.usage_date, ceilings.ceiling_id, ceilings.perimeter_type, ceilings.perimeter_id, ceilings.metric,
        ceilings.period_start, ceilings.period_end, ceilings.is_in_period, ceilings.days_left, ceilings.limit_quantity,
        ceilings.used_quantity,
        -- drawn ends have six digits: the exact central value lies between them, and they between the added ends
        least(greatest(coalesce(used.total_low, 0), ceilings.used_low), ceilings.used_quantity) as used_low,
        least(greatest(coalesce(used.total_high, 0), ceilings.used_quantity), ceilings.used_high) as used_high,
        coalesce(used.total_bound, 0) as used_bound,
        cast(ceilings.used_quantity + coalesce(outlook.future_quantity, 0) as decimal(38, 9)) as forecast_quantity,
        coalesce(forecast.total_low, 0) as estimate_low,
        coalesce(forecast.total_high, 0) as estimate_high,
        coalesce(forecast.total_bound, 0) as estimate_bound,
        -- a ceiling that nothing counts against has no draws
        coalesce(forecast.breach_probability, 0) as breach_probability,
        coalesce(forecast.breach_probability_high, 0) as breach_probability_high
    from ceilings
    left join outlook on ceilings.ceiling_id = outlook.ceiling_id and ceilings.usage_date = outlook.usage_date
    {%- for kind in ['used', 'forecast'] %}
    left join {{ kind }} on ceilings.ceiling_id = {{ kind }}.subject_id and ceilings.usage_date = {{ kind }}.total_date
    {%- endfor %}

)

select * from ranged
