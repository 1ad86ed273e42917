-- One row per day x workflow: the runs of its agents on that day, their steps and how their energy is spread.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

runs as (select * from {{ ref('int_agent_run__daily') }} where {{ in_days('usage_date') }}),

ranked as (

    select
        *,
        count(*) over (partition by usage_date, workflow_id) as all_count,
        count(energy_kwh) over (partition by usage_date, workflow_id) as known_count,
        row_number() over (partition by usage_date, workflow_id order by step_count, run_id) as step_rank,
        -- unknown energy comes last, and has no rank among the known
        row_number() over (partition by usage_date, workflow_id
            order by case when energy_kwh is null then 1 else 0 end, energy_kwh, run_id) as energy_rank
    from runs

),

daily as (

    select
        usage_date, workflow_id, team_id,
        cast(count(*) as decimal(38, 0)) as run_count,
        cast(count(*) - count(energy_kwh) as decimal(38, 0)) as gap_run_count,
        cast(sum(step_count) as decimal(38, 0)) as step_count,
        {%- for kind in step_kinds() %}
        cast(sum({{ kind }}_step_count) as decimal(38, 0)) as {{ kind }}_step_count,
        {%- endfor %}
        {%- for percent in [50, 95] %}
        cast(max(case when step_rank = {{ rank_of_percentile(percent, 'all_count') }} then step_count end) as bigint)
            as p{{ percent }}_run_step_count,
        {%- endfor %}
        cast(max(step_count) as bigint) as largest_run_step_count,
        cast(sum(energy_kwh) as decimal(38, 9)) as energy_kwh,
        {%- for percent in [50, 95, 99] %}
        cast({{ wh_from_kwh('max(case when energy_rank = ' ~ rank_of_percentile(percent, 'known_count')
            ~ ' then energy_kwh end)') }} as decimal(38, 9)) as p{{ percent }}_run_wh,
        {%- endfor %}
        {{ top_hundredth_ratio('energy_kwh', '1', '(known_count - energy_rank)', 'known_count') }}
            as top_1_percent_energy_ratio,
        {%- for kind in step_kinds() %}
        {{ ratio('sum(' ~ kind ~ '_energy_kwh)', 'sum(energy_kwh)') }} as {{ kind }}_energy_ratio,
        {%- endfor %}
        cast(sum(duration_seconds) as decimal(38, 3)) as duration_seconds
    from ranked
    group by usage_date, workflow_id, team_id

)

select * from daily
