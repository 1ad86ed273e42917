-- One row per day x workflow x outcome type. A workflow with several outcome types shows its whole energy beside each.

with

outcomes as (select * from {{ ref('stg_outcomes__outcomes') }}),

workflows as (select * from {{ ref('dim_workflow') }}),

used as (select * from {{ ref('fct_workflow_daily') }}),

daily as (

    select
        outcomes.usage_date,
        outcomes.workflow_id,
        workflows.team_id,
        outcomes.outcome_type,
        cast(outcomes.outcome_count as decimal(38, 0)) as outcome_count,
        cast(outcomes.accepted_count as decimal(38, 0)) as accepted_count,
        used.call_count,
        used.energy_kwh,
        cast({{ wh_from_kwh('used.energy_kwh') }} / nullif(outcomes.outcome_count, 0) as decimal(38, 9))
            as energy_wh_per_outcome,
        cast(used.call_count / nullif(outcomes.outcome_count, 0) as decimal(38, 9)) as calls_per_outcome
    from outcomes
    left join workflows on outcomes.workflow_id = workflows.workflow_id
    left join used on outcomes.usage_date = used.usage_date and outcomes.workflow_id = used.workflow_id

)

select * from daily
