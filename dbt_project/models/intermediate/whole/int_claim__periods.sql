-- One row per claim x period (baseline, tested): whole weeks of the claim's workload, their means, and how much they vary.

with

claims as (select * from {{ ref('stg_registry__claims') }}),

teams as (select * from {{ ref('dim_team') }}),

used as (

    select
        usage_date, workflow_id, team_id, energy_kwh, measured_ratio * energy_kwh as measured_kwh,
        call_count, covered_call_count, output_tokens, 0 as outcome_count
    from {{ ref('fct_workflow_daily') }}
    union all
    select
        usage_date, workflow_id, team_id, null as energy_kwh, null as measured_kwh,
        0 as call_count, 0 as covered_call_count, 0 as output_tokens, outcome_count
    from {{ ref('fct_outcome_daily') }}

),

known as (select {{ add_days('max(usage_date)', 1) }} as end_date from {{ ref('fct_workflow_daily') }}),

spans as (

    select claims.*, 'baseline' as period, baseline_first_date as first_date, baseline_end_date as end_date
    from claims
    union all
    select claims.*, 'tested' as period, tested_first_date as first_date, least(coalesce(tested_end_date, known.end_date), known.end_date) as end_date
    from claims
    cross join known

),

asked as (

    select *, cast(floor({{ days_between('first_date', 'end_date') }} / 7) as integer) as asked_week_count
    from spans

),

weeks as (

    select
        asked.claim_id, asked.period, asked.asked_week_count,
        floor({{ days_between('asked.first_date', 'used.usage_date') }} / 7) as week,
        sum(used.energy_kwh) as energy_kwh, sum(used.measured_kwh) as measured_kwh, sum(used.call_count) as call_count,
        sum(used.covered_call_count) as covered_call_count,
        case asked.functional_unit when 'total' then 1 when 'call' then sum(used.call_count)
            when 'output_token' then sum(used.output_tokens) when 'outcome' then sum(used.outcome_count) end as unit_count
    from asked
    inner join used on used.usage_date >= asked.first_date and used.usage_date < asked.end_date
    left join teams on used.team_id = teams.team_id
    where
        asked.perimeter_id = case asked.perimeter_type when 'organisation' then 'organisation' when 'unit' then teams.unit_id
            when 'team' then used.team_id when 'workflow' then used.workflow_id end
        -- a week that the period does not hold whole has other weekdays
        and {{ days_between('asked.first_date', 'used.usage_date') }} < 7 * asked.asked_week_count
    group by asked.claim_id, asked.period, asked.asked_week_count, asked.functional_unit, week

),

logs as (

    select
        *,
        case when energy_kwh > 0 then ln(energy_kwh) end as total_log,
        case when energy_kwh > 0 and unit_count > 0 then ln(energy_kwh / unit_count) end as unit_log
    from weeks

),

periods as (

    select
        claim_id, period,
        max(asked_week_count) as asked_week_count,
        count(*) as week_count,
        count(unit_log) as told_week_count,
        cast(sum(energy_kwh) / count(*) as decimal(38, 9)) as week_kwh,
        cast(sum(unit_count) / count(*) as decimal(38, 3)) as week_units,
        {{ ratio('sum(covered_call_count)', 'sum(call_count)') }} as coverage_ratio,
        {{ ratio('sum(measured_kwh)', 'sum(energy_kwh)') }} as measured_ratio,
        {%- for name in ['total', 'unit'] %}
        cast(avg({{ name }}_log) as decimal(24, 12)) as {{ name }}_log,
        cast(var_samp({{ name }}_log) / count(*) as decimal(24, 12)) as {{ name }}_variance{{ ',' if not loop.last }}
        {%- endfor %}
    from logs
    group by claim_id, period

)

select * from periods
