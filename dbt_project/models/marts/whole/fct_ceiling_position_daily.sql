-- One row per day x ceiling, from the period's first day to its last or to the last day of data.

with

ranges as (select * from {{ ref('int_ceiling_range__daily') }} where is_in_period),

forecasts as (select * from {{ ref('int_ceiling_forecast__daily') }}),

ranged as (

    select
        ranges.*, forecasts.days_to_limit_low, forecasts.days_to_limit, forecasts.days_to_limit_high,
        -- ends have six digits: the exact central value lies between them, and they beyond those of what was used
        least(greatest(coalesce(forecasts.forecast_low, 0), used_low), forecast_quantity) as forecast_low,
        greatest(coalesce(forecasts.forecast_high, 0), used_high, forecast_quantity) as forecast_high
    from ranges
    left join forecasts on ranges.ceiling_id = forecasts.ceiling_id and ranges.usage_date = forecasts.usage_date

),

passed as (

    select
        *,
        {%- for name, used in [('exceeded_since_date', 'used_quantity'), ('high_since_date', 'used_high'),
            ('low_since_date', 'used_low')] %}
        min(case when {{ used }} > limit_quantity then usage_date end) over (
            partition by ceiling_id order by usage_date rows between unbounded preceding and current row
        ) as {{ name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ranged

),

positions as (

    select
        usage_date, ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end, limit_quantity,
        used_quantity, used_low, used_high,
        {{ ratio('used_quantity', 'limit_quantity') }} as used_ratio,
        forecast_quantity, forecast_low, forecast_high,
        {%- for name, since, days in [('exhaustion_date', 'exceeded_since_date', 'days_to_limit'),
            ('exhaustion_date_low', 'high_since_date', 'days_to_limit_low'),
            ('exhaustion_date_high', 'low_since_date', 'days_to_limit_high')] %}
        coalesce({{ since }}, {{ add_days('usage_date', 'cast(' ~ days ~ ' as integer)') }}) as {{ name }},
        {%- endfor %}
        exceeded_since_date,
        cast(breach_probability as decimal(7, 6)) as breach_probability,
        cast(breach_probability_high as decimal(7, 6)) as breach_probability_high,
        case
            when used_quantity > limit_quantity then 'exceeded'
            when forecast_low > limit_quantity then 'on course to exceed'
            when forecast_high > limit_quantity then 'undecided'
            else 'within'
        end as status
    from passed

)

select * from positions
