-- One row per day x ceiling, from the period's first day to its last or to the last day of data.

{%- set lookback_days = 28 %}

with

ceilings as (select * from {{ ref('stg_registry__ceilings') }}),

used as (select * from {{ ref('int_perimeter__daily') }}),

days as (select distinct usage_date from {{ ref('fct_footprint_daily') }}),

daily as (

    select
        days.usage_date, ceilings.ceiling_id, ceilings.perimeter_type, ceilings.perimeter_id, ceilings.metric,
        ceilings.period_start, ceilings.period_end, ceilings.limit_quantity,
        coalesce(used.used_low, 0) as day_low,
        coalesce(used.used_quantity, 0) as day_quantity,
        coalesce(used.used_high, 0) as day_high,
        days.usage_date >= ceilings.period_start as is_in_period
    from ceilings
    inner join days on days.usage_date < ceilings.period_end
    left join used
        on days.usage_date = used.usage_date
        and ceilings.perimeter_type = used.perimeter_type
        and ceilings.metric = used.metric
        and case when ceilings.perimeter_type = 'organisation' then 'organisation' else ceilings.perimeter_id end
            = used.perimeter_id

),

running as (

    select
        daily.*,
        {%- for end in ['low', 'quantity', 'high'] %}
        sum(case when is_in_period then day_{{ end }} else 0 end) over (
            partition by ceiling_id order by usage_date rows between unbounded preceding and current row
        ) as used_{{ end }},
        {%- endfor %}
        -- four whole weeks, so that every weekday weighs the same; fewer days where there are fewer
        avg(day_quantity) over recent as recent_mean,
        coalesce(stddev_samp(day_quantity) over recent, 0) as recent_deviation,
        {{ days_between('usage_date', 'period_end') }} - 1 as days_left
    from daily
    window recent as (
        partition by ceiling_id order by usage_date rows between {{ lookback_days - 1 }} preceding and current row
    )

),

forecast as (

    select
        *,
        cast(used_quantity + recent_mean * days_left as decimal(38, 9)) as forecast_quantity,
        cast({{ ratio('used_high', 'used_quantity') }} * (used_quantity + recent_mean * days_left) as decimal(38, 9))
            as forecast_high,
        -- log-space spread: that of the estimate (its range is 95 %), and that of the days still to come
        sqrt(
            power(coalesce(ln(nullif(used_high, 0) / nullif(used_low, 0)), 0) / 3.92, 2)
            + power(recent_deviation * sqrt(days_left) / nullif(used_quantity + recent_mean * days_left, 0), 2)
        ) as spread
    from running
    where is_in_period

),

positions as (

    select
        usage_date, ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end,
        cast(limit_quantity as decimal(38, 9)) as limit_quantity,
        cast(used_quantity as decimal(38, 9)) as used_quantity,
        cast(used_low as decimal(38, 9)) as used_low,
        cast(used_high as decimal(38, 9)) as used_high,
        {{ ratio('used_quantity', 'limit_quantity') }} as used_ratio,
        forecast_quantity,
        case
            when used_quantity > limit_quantity then min(case when used_quantity > limit_quantity then usage_date end)
                over (partition by ceiling_id)
            when forecast_quantity > limit_quantity then {{ add_days('usage_date',
                'cast(ceil((limit_quantity - used_quantity) / nullif(recent_mean, 0)) as integer)') }}
        end as exhaustion_date,
        cast(case
            when coalesce(spread, 0) = 0 or forecast_quantity <= 0 or limit_quantity = 0
                then case when forecast_quantity > limit_quantity then 1 else 0 end
            else {{ normal_cdf('(ln(forecast_quantity / limit_quantity) / spread)') }}
        end as decimal(7, 6)) as breach_probability,
        case
            when used_quantity > limit_quantity then 'exceeded'
            when forecast_quantity > limit_quantity then 'on course to exceed'
            when forecast_high > limit_quantity then 'undecided'
            else 'within'
        end as status
    from forecast

)

select * from positions
