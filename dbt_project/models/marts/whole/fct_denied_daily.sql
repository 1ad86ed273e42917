-- One row per day x workflow x class x ceiling x action: calls that the gate denied. No account of use holds them.

with

denied as (select * from {{ ref('stg_denied_calls__questions') }}),

workflows as (select workflow_id, team_id from {{ ref('dim_workflow') }}),

ceilings as (select ceiling_id, period_start, period_end from {{ ref('stg_registry__ceilings') }}),

used as (

    select usage_date, workflow_id, call_count, {{ covered_calls() }} as covered_call_count,
        energy_kwh_low, energy_kwh, energy_kwh_high
    from {{ ref('fct_footprint_daily') }}
    where {{ is_of_calls() }}

),

daily as (

    select
        denied.usage_date,
        coalesce(workflows.workflow_id, 'orphan') as workflow_id,
        coalesce(workflows.team_id, 'orphan') as team_id,
        coalesce(denied.usefulness_class, 'undeclared') as usefulness_class,
        coalesce(denied.ceiling_id, 'none') as ceiling_id,
        denied.action,
        count(*) as question_count,
        sum(denied.call_count) as denied_call_count
    from denied
    left join workflows on denied.workflow_id = workflows.workflow_id
    group by 1, 2, 3, 4, 5, 6

),

placed as (

    select daily.*, ceilings.period_start, ceilings.period_end, date_trunc('month', daily.usage_date) as month_start
    from daily
    left join ceilings on daily.ceiling_id = ceilings.ceiling_id

),

measured as (

    select
        placed.usage_date, placed.workflow_id, placed.usefulness_class, placed.ceiling_id, placed.action,
        sum(used.call_count) as call_count,
        sum(used.covered_call_count) as covered_call_count,
        sum(case when used.energy_kwh is not null then used.energy_kwh_low end) as known_kwh_low,
        sum(used.energy_kwh) as known_kwh,
        sum(case when used.energy_kwh is not null then used.energy_kwh_high end) as known_kwh_high,
        sum(used.energy_kwh_high) as all_kwh_high
    from placed
    inner join used
        on placed.workflow_id = used.workflow_id
        and ((used.usage_date >= placed.period_start and used.usage_date < placed.period_end)
            or (placed.period_start is null and date_trunc('month', used.usage_date) = placed.month_start))
    group by 1, 2, 3, 4, 5

),

estimated as (

    select
        placed.usage_date, placed.workflow_id, placed.team_id, placed.usefulness_class, placed.ceiling_id, placed.action,
        cast(placed.question_count as decimal(38, 0)) as question_count,
        cast(placed.denied_call_count as decimal(38, 0)) as denied_call_count,
        {%- for end in ['_low', ''] %}
        cast(measured.known_kwh{{ end }} * placed.denied_call_count / nullif(measured.covered_call_count, 0)
            as decimal(38, 9)) as denied_energy_kwh{{ end }},
        {%- endfor %}
        -- a call of unknown energy may be as hungry as its bound, and takes no less than the known ones may
        cast(greatest(
            measured.known_kwh_high * placed.denied_call_count / nullif(measured.covered_call_count, 0),
            measured.all_kwh_high * placed.denied_call_count / nullif(measured.call_count, 0)
        ) as decimal(38, 9)) as denied_energy_kwh_high,
        case
            when coalesce(measured.call_count, 0) = 0 then 'no_calls'
            when measured.covered_call_count = 0 or measured.known_kwh is null then 'no_known_energy'
        end as gap_reason
    from placed
    left join measured
        on placed.usage_date = measured.usage_date
        and placed.workflow_id = measured.workflow_id
        and placed.usefulness_class = measured.usefulness_class
        and placed.ceiling_id = measured.ceiling_id
        and placed.action = measured.action

)

select * from estimated
