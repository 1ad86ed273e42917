-- One row per day x ceiling x factor x whether it is only bounded: used since the period's first day, and of late.

{%- set lookback_days = 28 %}
{%- set part = 'ceiling_id, factor_id, method, is_only_bounded' %}

with

ceilings as (select * from {{ ref('int_ceiling__daily') }}),

outlook as (select * from {{ ref('int_ceiling_outlook__daily') }}),

parts as (select * from {{ ref('int_range_part__daily') }}),

subjects as (select distinct ceiling_id, perimeter_type, counted_perimeter_id, metric from ceilings),

factors as (

    select distinct subjects.ceiling_id, parts.factor_id, parts.method, parts.is_only_bounded
    from subjects
    inner join parts
        on subjects.perimeter_type = parts.perimeter_type
        and subjects.counted_perimeter_id = parts.perimeter_id
        and subjects.metric = parts.metric

),

-- every day of a ceiling for every factor that it ever used, so that windows of rows are windows of days
daily as (

    select
        ceilings.usage_date, ceilings.ceiling_id, ceilings.perimeter_type, ceilings.perimeter_id, ceilings.metric,
        ceilings.is_in_period, ceilings.days_left, ceilings.limit_quantity, outlook.spread_ratio,
        factors.factor_id, factors.method, factors.is_only_bounded,
        -- a bound is a bound: it does not fall because the estimates beside it are forecast to
        case when factors.is_only_bounded and outlook.growth_ratio < 1 then 1 else outlook.growth_ratio end as growth_ratio,
        {%- for end in ['low', 'quantity', 'high'] %}
        coalesce(parts.part_{{ end }}, 0) as day_{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ceilings
    inner join factors on ceilings.ceiling_id = factors.ceiling_id
    left join outlook on ceilings.ceiling_id = outlook.ceiling_id and ceilings.usage_date = outlook.usage_date
    left join parts
        on ceilings.usage_date = parts.usage_date
        and ceilings.perimeter_type = parts.perimeter_type
        and ceilings.counted_perimeter_id = parts.perimeter_id
        and ceilings.metric = parts.metric
        and factors.factor_id = parts.factor_id
        and factors.method = parts.method
        and factors.is_only_bounded = parts.is_only_bounded

),

running as (

    select
        *,
        {%- for end in ['low', 'quantity', 'high'] %}
        sum(case when is_in_period then day_{{ end }} else 0 end) over (
            partition by {{ part }} order by usage_date rows between unbounded preceding and current row
        ) as used_{{ end }},
        avg(day_{{ end }}) over (
            partition by {{ part }} order by usage_date rows between {{ lookback_days - 1 }} preceding and current row
        ) as recent_{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from daily

)

select * from running
where is_in_period
