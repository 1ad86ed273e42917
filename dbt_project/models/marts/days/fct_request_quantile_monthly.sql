-- One row per month x perimeter (organisation, team, workflow, model, latency tier or length class): its requests' energy.
{{ config(materialized='incremental', incremental_strategy='replace_months', on_schema_change='fail') }}

{%- set perimeters = {'organisation': "'organisation'", 'team': 'team_id', 'workflow': 'workflow_id', 'model': 'model_id',
    'latency_tier': 'latency_tier', 'length_class': 'length_class'} %}
{%- set percents = [50, 95, 99] %}

with

daily as (

    select *, {{ month_of('usage_date') }} as usage_month
    from {{ ref('fct_request_distribution_daily') }}
    where {{ in_months(month_of('usage_date')) }}

),

merged as (

    select usage_month, team_id, workflow_id, model_id, latency_tier, length_class, bin_number,
        sum(call_count) as call_count, sum(energy_kwh) as energy_kwh
    from daily
    group by usage_month, team_id, workflow_id, model_id, latency_tier, length_class, bin_number

),

-- histograms are added up, whatever is asked of them comes after
bins as (

    {%- for type, id in perimeters.items() %}
    select
        usage_month, '{{ type }}' as perimeter_type, {{ id }} as perimeter_id, bin_number,
        sum(call_count) as call_count, sum(energy_kwh) as energy_kwh
    from merged
    group by usage_month, {{ id ~ ', ' if type != 'organisation' }}bin_number
    {{ 'union all' if not loop.last }}
    {%- endfor %}

),

ranked as (

    select
        *,
        case when bin_number is not null then call_count else 0 end as known_count,
        sum(case when bin_number is not null then call_count else 0 end) over (
            partition by usage_month, perimeter_type, perimeter_id) as all_count,
        sum(case when bin_number is not null then call_count else 0 end) over (
            partition by usage_month, perimeter_type, perimeter_id
            order by coalesce(bin_number, -9999) desc rows between unbounded preceding and current row) as down_to_count
    from bins

),

monthly as (

    select
        usage_month, perimeter_type, perimeter_id,
        cast(sum(call_count) as decimal(38, 0)) as call_count,
        cast(sum(call_count - known_count) as decimal(38, 0)) as gap_call_count,
        cast(sum(energy_kwh) as decimal(38, 9)) as energy_kwh,
        cast({{ wh_from_kwh('sum(energy_kwh)') }} / nullif(sum(known_count), 0) as decimal(38, 9)) as mean_wh,
        {%- for percent in percents %}
        -- the bin of the request of this rank: so many are in it and below
        cast({{ bin_middle_wh('min(case when all_count - down_to_count + known_count >= '
            ~ rank_of_percentile(percent, 'all_count') ~ ' then bin_number end)') }} as decimal(38, 9)) as p{{ percent }}_wh,
        {%- endfor %}
        {{ top_hundredth_ratio('energy_kwh', 'nullif(known_count, 0)', '(down_to_count - known_count)', 'all_count') }}
            as top_1_percent_energy_ratio
    from ranked
    group by usage_month, perimeter_type, perimeter_id

)

select * from monthly
