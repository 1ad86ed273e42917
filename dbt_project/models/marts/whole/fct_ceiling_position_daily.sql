-- One row per day x ceiling, from the period's first day to its last or to the last day of data.

with

ceilings as (select * from {{ ref('int_ceiling__daily') }} where is_in_period),

{%- for kind in ['used', 'forecast'] %}

{{ kind }} as (select * from {{ ref('int_total_range') }} where total_kind = 'ceiling_{{ kind }}'),
{%- endfor %}

ranged as (

    select
        ceilings.usage_date, ceilings.ceiling_id, ceilings.perimeter_type, ceilings.perimeter_id, ceilings.metric,
        ceilings.period_start, ceilings.period_end, ceilings.limit_quantity, ceilings.used_quantity,
        ceilings.forecast_quantity, ceilings.recent_quantity,
        {%- for kind in ['used', 'forecast'] %}
        -- drawn ends have six digits: the exact central value lies between them, and they between the added ends
        least(greatest(coalesce({{ kind }}.total_low, 0), ceilings.{{ kind }}_low), ceilings.{{ kind }}_quantity)
            as {{ kind }}_low,
        least(greatest(coalesce({{ kind }}.total_high, 0), ceilings.{{ kind }}_quantity), ceilings.{{ kind }}_high)
            as {{ kind }}_high,
        {%- endfor %}
        forecast.breach_probability, forecast.breach_probability_high
    from ceilings
    {%- for kind in ['used', 'forecast'] %}
    left join {{ kind }} on ceilings.ceiling_id = {{ kind }}.subject_id and ceilings.usage_date = {{ kind }}.total_date
    {%- endfor %}

),

positions as (

    select
        usage_date, ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end, limit_quantity,
        used_quantity, used_low, used_high,
        {{ ratio('used_quantity', 'limit_quantity') }} as used_ratio,
        forecast_quantity,
        case
            when used_quantity > limit_quantity then min(case when used_quantity > limit_quantity then usage_date end)
                over (partition by ceiling_id)
            when forecast_quantity > limit_quantity then {{ add_days('usage_date',
                'cast(ceil((limit_quantity - used_quantity) / nullif(recent_quantity, 0)) as integer)') }}
        end as exhaustion_date,
        -- a ceiling that nothing counts against has no draws
        cast(coalesce(breach_probability, 0) as decimal(7, 6)) as breach_probability,
        cast(coalesce(breach_probability_high, 0) as decimal(7, 6)) as breach_probability_high,
        case
            when used_quantity > limit_quantity then 'exceeded'
            when forecast_quantity > limit_quantity then 'on course to exceed'
            when forecast_high > limit_quantity then 'undecided'
            else 'within'
        end as status
    from ranged

)

select * from positions
