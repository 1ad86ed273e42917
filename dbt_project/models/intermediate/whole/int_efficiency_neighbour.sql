-- One row per change x review x workflow of the teams concerned: its calls before and after, models that it gained or gave up.

with

spans as (select * from {{ ref('int_efficiency_span') }}),

workflows as (select workflow_id, team_id from {{ ref('dim_workflow') }}),

footprint as (select * from {{ ref('fct_footprint_daily') }}),

concerned as (

    select distinct
        spans.change_id, spans.after_days, spans.change_date, spans.before_first_date, spans.after_last_date,
        spans.repeated_count, neighbours.workflow_id
    from spans
    inner join workflows on spans.workflow_id = workflows.workflow_id
    inner join workflows as neighbours on workflows.team_id = neighbours.team_id

),

used as (

    select
        concerned.change_id, concerned.after_days, concerned.workflow_id, footprint.model_id,
        sum(case when footprint.usage_date < concerned.change_date then concerned.repeated_count * footprint.call_count else 0 end)
            as before_call_count,
        sum(case when footprint.usage_date >= concerned.change_date then footprint.call_count else 0 end) as after_call_count
    from concerned
    inner join footprint
        on concerned.workflow_id = footprint.workflow_id
        and footprint.usage_date >= concerned.before_first_date and footprint.usage_date <= concerned.after_last_date
    group by concerned.change_id, concerned.after_days, concerned.workflow_id, footprint.model_id

),

summed as (

    select
        change_id, after_days, workflow_id,
        cast(sum(before_call_count) as decimal(38, 0)) as before_call_count,
        cast(sum(after_call_count) as decimal(38, 0)) as after_call_count,
        {{ listed("case when before_call_count = 0 and after_call_count > 0 then model_id end") }} as gained_model_ids,
        {{ listed("case when before_call_count > 0 and after_call_count = 0 then model_id end") }} as lost_model_ids
    from used
    group by change_id, after_days, workflow_id

),

judged as (

    select
        *,
        after_call_count > 0 and (
            gained_model_ids is not null
            or 100 * after_call_count >= (100 + {{ var('expanded_percent') }}) * before_call_count) as is_expanded,
        before_call_count > 0 and after_call_count = 0 as is_retired
    from summed

)

select * from judged
