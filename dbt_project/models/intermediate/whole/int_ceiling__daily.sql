-- One row per day x ceiling, to the last day of its period or of the data; the days before the period are looked back on.

{%- set lookback_days = 28 %}

with

ceilings as (

    select
        *,
        case when perimeter_type = 'organisation' then 'organisation' else perimeter_id end as counted_perimeter_id
    from {{ ref('stg_registry__ceilings') }}

),

used as (select * from {{ ref('int_perimeter__daily') }}),

days as (select distinct usage_date from {{ ref('fct_footprint_daily') }}),

daily as (

    select
        days.usage_date, ceilings.ceiling_id, ceilings.perimeter_type, ceilings.perimeter_id, ceilings.metric,
        ceilings.period_start, ceilings.period_end, ceilings.limit_quantity, ceilings.counted_perimeter_id,
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
        and ceilings.counted_perimeter_id = used.perimeter_id

),

running as (

    select
        daily.*,
        {%- for end in ['low', 'quantity', 'high'] %}
        sum(case when is_in_period then day_{{ end }} else 0 end) over (
            partition by ceiling_id order by usage_date rows between unbounded preceding and current row
        ) as added_{{ end }},
        {%- endfor %}
        avg(day_quantity) over (
            partition by ceiling_id order by usage_date rows between {{ lookback_days - 1 }} preceding and current row
        ) as recent_mean_quantity,
        {{ days_between('usage_date', 'period_end') }} - 1 as days_left
    from daily

),

counted as (

    select
        usage_date, ceiling_id, perimeter_type, perimeter_id, counted_perimeter_id, metric, period_start, period_end,
        is_in_period, days_left,
        cast(limit_quantity as decimal(38, 9)) as limit_quantity,
        cast(day_quantity as decimal(38, 9)) as day_quantity,
        cast(recent_mean_quantity as decimal(38, 9)) as recent_quantity,
        {%- for end in ['low', 'quantity', 'high'] %}
        cast(added_{{ end }} as decimal(38, 9)) as used_{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from running

)

select * from counted
