-- One row per pair of months x perimeter x factor: what more, other, longer or hungrier training runs changed (LMDI-I).

with

runs as (select *, {{ month_of('cast(ended_at_utc as date)') }} as period_id from {{ ref('fct_training_run') }}),

owned as (select * from {{ ref('dim_workflow') }}),

owners as (select * from {{ ref('dim_team') }}),

used_days as (select distinct usage_date from {{ ref('fct_organisation_daily') }}),

{{ month_pairs() }},

{{ owned_workflows('owned', 'owners') }},

{{ days_of_periods() }},

judged as (select *, gap_reason is null and energy_kwh is not null as is_known from runs),

cells as (

    select
        period_id, 'energy_kwh' as measure, workflow_id, 'runs' as kind,
        lifecycle_stage || '/' || coalesce(model_id, '') as cell,
        cast(count(*) as decimal(38, 0)) as call_count,
        sum(gpu_seconds) as gpu_seconds, sum(gpu_seconds) as token_count,
        cast(sum(case when is_known then 1 else 0 end) as decimal(38, 0)) as known_call_count,
        sum(case when is_known then gpu_seconds else 0 end) as known_gpu_seconds,
        sum(case when is_known then gpu_seconds else 0 end) as known_token_count,
        sum(case when is_known then energy_kwh end) as it_kwh,
        sum(case when is_known then energy_kwh end) as facility_kwh,
        cast(sum(case when is_known then energy_kwh end) as decimal(38, 12)) as quantity,
        cast(null as varchar) as first_factor_id, cast(null as varchar) as last_factor_id,
        cast(sum(case when is_known then 1 else 0 end) as decimal(38, 0)) as covered_call_count,
        sum(case when not is_known then energy_kwh_high end) as unknown_high,
        min(case when not is_known then coalesce(gap_reason, 'no_meter') end) as first_gap_reason,
        max(case when not is_known then coalesce(gap_reason, 'no_meter') end) as last_gap_reason
    from judged
    group by period_id, workflow_id, lifecycle_stage, model_id

),

-- a run has no outcomes
achieved as (

    select period_id, workflow_id, '' as outcome_type, 0 as outcome_count from runs where 1 = 0

),

{{ decomposition() }},

{{ chained_months() }},

whole as (

    select {{ decomposition_columns('described') }} from described
    union all
    select {{ decomposition_columns('chained') }} from chained

),

-- how often models are trained again: the mean of the days since the completed run before, over runs that ended in a month
cadences as (

    {%- for type, id in perimeters_of('runs').items() %}
    select
        runs.period_id, '{{ type }}' as perimeter_type, {{ id }} as perimeter_id, count(*) as run_count,
        cast(avg(runs.days_since_previous_run_count) as decimal(24, 6)) as interval_days
    from runs
    left join workflows on runs.workflow_id = workflows.workflow_id
    {{ 'where workflows.unit_id is not null' if type == 'unit' }}
    group by 1, 2, 3
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)

select
    whole.*,
    {%- for side in ['base', 'compared'] %}
    cast(coalesce({{ side }}.run_count, 0) as bigint) as {{ side }}_run_count, {{ side }}.interval_days as {{ side }}_interval_days{{ ',' if not loop.last }}
    {%- endfor %}
from whole
{%- for side in ['base', 'compared'] %}
left join cadences as {{ side }}
    on {{ month_of('whole.' ~ side ~ '_first_date') }} = {{ side }}.period_id
    and whole.perimeter_type = {{ side }}.perimeter_type
    and whole.perimeter_id = {{ side }}.perimeter_id
{%- endfor %}
