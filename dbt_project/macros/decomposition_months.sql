{#- Months beside each other. -#}

{#- CTEs from `used_days` to `days`, `periods`, `ends` (the first and the last whole month) and `pairs`. -#}
{% macro month_pairs() -%}
-- named after their first day
periods as (

    select
        {{ month_of('usage_date') }} as period_id, min(usage_date) as first_date, max(usage_date) as last_date,
        count(*) = {{ days_between(month_of('min(usage_date)'), next_month('min(usage_date)')) }} as is_whole
    from used_days
    group by {{ month_of('usage_date') }}

),

ends as (

    select min(period_id) as base_id, max(period_id) as compared_id from periods where is_whole

),

steps as (

    select lag(period_id) over (order by period_id) as base_id, period_id as compared_id from periods

),

pairs as (

    select row_number() over (order by base_id) as pair_id, 'monthly' as chain, base_id, compared_id
    from steps
    where base_id is not null
    union all
    select 0, 'end_point', base_id, compared_id from ends where base_id < compared_id

)
{%- endmacro %}

{#- CTEs from `described`, `totals_seen` and those of month_pairs to `chained`. -#}
{% macro chained_months() -%}
-- the months between the ends step by step: the same change, by another path
stepped as (

    select
        described.measure, described.perimeter_type, described.perimeter_id, described.part, described.factor,
        {{ common_unit('described.activity_unit') }} as activity_unit,
        sum(described.effect_quantity) as effect_quantity,
        case when count(described.log_ratio) = count(*) then sum(described.log_ratio) end as log_ratio
    from described
    inner join pairs on described.pair_id = pairs.pair_id
    inner join ends on pairs.base_id >= ends.base_id and pairs.compared_id <= ends.compared_id
    where pairs.chain = 'monthly' and described.factor <> 'unknown'
    group by 1, 2, 3, 4, 5

),

chained as (

    select
        stepped.*, 'chained' as chain, base.first_date as base_first_date, base.last_date as base_last_date,
        compared.first_date as compared_first_date, compared.last_date as compared_last_date,
        lengths.base_day_count, lengths.compared_day_count, true as is_whole,
        coalesce(totals_seen.base_quantity, 0) as base_quantity,
        coalesce(totals_seen.compared_quantity, 0) as compared_quantity,
        totals_seen.base_coverage_ratio, totals_seen.compared_coverage_ratio, totals_seen.gap_reason,
        cast(null as decimal(38, 12)) as effect_low, cast(null as decimal(38, 12)) as effect_high
    from stepped
    inner join pairs on pairs.chain = 'end_point'
    inner join lengths on pairs.pair_id = lengths.pair_id
    inner join periods as base on pairs.base_id = base.period_id
    inner join periods as compared on pairs.compared_id = compared.period_id
    left join totals_seen
        on pairs.pair_id = totals_seen.pair_id
        and stepped.measure = totals_seen.measure
        and stepped.perimeter_type = totals_seen.perimeter_type
        and stepped.perimeter_id = totals_seen.perimeter_id

)
{%- endmacro %}
