-- One row per workflow, and one each for what nobody owns: what it is for, what it did in the last month of days, and what is owed.

with

workflows as (select * from {{ ref('dim_workflow') }}),

declared as (select workflow_id, valid_to from {{ ref('stg_registry__workflows') }}),

totals as (select * from {{ ref('int_workload__totals') }}),

duplicates as (select * from {{ ref('int_workload__duplicates') }}),

joined as (

    select
        workflows.*, declared.valid_to as declared_until_date, duplicates.duplicate_of,
        {{ ratio('totals.covered_call_count', 'totals.call_count') }} as coverage_ratio,
        {{ ratio('totals.retry_count', 'totals.retry_known_call_count') }} as retry_ratio,
        {{ ratio('totals.later_call_count', 'totals.earlier_call_count') }} as call_trend_ratio,
        {{ ratio('totals.later_energy_kwh', 'totals.earlier_energy_kwh') }} as energy_trend_ratio,
        -- outcomes of different kinds are not added up
        case when totals.outcome_type_count = 1 then totals.all_outcome_count end as outcome_count,
        -- a month with days missing would hide what goes beyond
        case when totals.day_count = {{ var('workload_days') }} and workflows.expected_monthly_calls is not null
            then cast(greatest(0, coalesce(totals.call_count, 0) - workflows.expected_monthly_calls) as decimal(38, 0))
        end as excess_call_count,
        declared.valid_to <= totals.as_of_date as is_expired,
        totals.is_used and totals.outcome_type_count = 0 as is_without_outcome,
        totals.is_used and workflows.owner is null as is_without_owner,
        totals.background_call_count > 0 and totals.other_call_count = 0 as is_background,
        totals.as_of_date, totals.day_count, totals.providers, totals.model_ids, totals.call_count, totals.retry_count,
        totals.background_call_count, totals.input_tokens, totals.cached_input_tokens, totals.output_tokens,
        totals.energy_kwh_low, totals.energy_kwh, totals.energy_kwh_high, totals.outcome_types, totals.outcome_type_count,
        totals.is_used
    from workflows
    inner join totals on workflows.workflow_id = totals.workflow_id
    left join declared on workflows.workflow_id = declared.workflow_id
    left join duplicates on workflows.workflow_id = duplicates.workflow_id

),

reasoned as (

    select
        *,
        nullif(concat_ws('; ',
            case when is_without_owner then 'no owner' end,
            case when is_without_outcome and is_background then 'background work without an outcome'
                when is_without_outcome then 'no outcome' end,
            case when is_used and is_expired then 'description expired' end,
            case when duplicate_of is not null then 'same calls as ' || duplicate_of end), '') as retire_reasons
    from joined

),

described as (

    select
        workflow_id, workflow_name, team_id, owner, job_description, status, declared_until_date,
        providers, model_ids, usefulness_class, latency_tier, cacheable, small_model_fit,
        as_of_date, day_count,
        coalesce(call_count, 0) as call_count, retry_count, retry_ratio, background_call_count,
        input_tokens, cached_input_tokens, output_tokens,
        energy_kwh_low, energy_kwh, energy_kwh_high, coverage_ratio,
        outcome_types, outcome_type_count, outcome_count,
        call_trend_ratio, energy_trend_ratio,
        expected_monthly_calls, excess_call_count,
        {{ ratio('excess_call_count', 'expected_monthly_calls') }} as excess_ratio,
        review_due_date, review_due_date < as_of_date as is_review_overdue,
        duplicate_of,
        retire_reasons is not null as is_retire_candidate,
        -- a review that is late says nothing about the work: it stands with other reasons, and makes none by itself
        case when retire_reasons is not null and review_due_date < as_of_date
            then retire_reasons || '; review overdue' else retire_reasons end as retire_reasons
    from reasoned

)

select * from described
