"""What is known of models beyond how much they were used: quality, training, spread of requests, comparisons.

What does not belong here: adding quality and energy up to one score.
"""

import pandas

from dashboards.book import Book

_ENDS = ("_low", "", "_high")
_ITEM = ", ".join(f"energy_wh_per_item{end}::double as energy_wh_per_item{end}" for end in _ENDS)


def results(book: Book) -> pandas.DataFrame:
    """Quality and energy of an item of each model that was evaluated, by task and metric."""
    return book.ask(
        f"""
        select task, metric, model_id, hardware, engine, precision, batch_size,
            quality_score::double as quality_score, quality_low::double as quality_low,
            quality_high::double as quality_high, is_lower_better, item_count, {_ITEM},
            energy_basis, energy_boundary, evidence_tier, is_on_frontier, evaluated_date, evaluated_by, evidence
        from fct_model_choice
        order by task, metric, energy_wh_per_item nulls last, quality_score desc, model_id, hardware, engine, precision,
            batch_size
        """
    )


def workflow_choices(book: Book) -> pandas.DataFrame:
    """For each workflow with a quality bar, the model in use beside the cheapest measured one that meets the bar."""
    ranges = ", ".join(
        f"{name}_wh_per_item{end}::double as {name}_wh_per_item{end}"
        for name in ("used_energy", "cheapest_energy", "saving")
        for end in _ENDS
    )
    return book.ask(
        f"""
        with judged as (
            select task, metric, bool_or(is_lower_better) as is_lower_better from fct_model_choice group by task, metric
        )
        select choice.workflow_id, coalesce(flow.workflow_name, choice.workflow_id) as workflow_name,
            choice.task, choice.metric, minimum_quality::double as minimum_quality, set_by, reason,
            coalesce(judged.is_lower_better, false) as is_lower_better,
            used_model_id, used_quality_score::double as used_quality_score, used_energy_basis, used_energy_boundary,
            cheapest_model_id, cheapest_hardware, cheapest_quality_score::double as cheapest_quality_score,
            cheapest_energy_boundary, is_surely_met, {ranges}, finding
        from fct_workflow_model_choice as choice
        left join judged on judged.task = choice.task and judged.metric = choice.metric
        left join dim_workflow as flow on flow.workflow_id = choice.workflow_id
        order by finding <> 'a cheaper model meets the bar', workflow_name, choice.task, choice.metric
        """
    )


def runs(book: Book) -> pandas.DataFrame:
    """Every run of training, fine-tuning, experiment and evaluation in the build, the one of most energy first."""
    return book.ask(
        """
        select run_id, experiment_id, run.workflow_id,
            coalesce(flow.workflow_name, run.workflow_id) as workflow_name, run.model_id, lifecycle_stage,
            state, superseded_by, started_at_utc, ended_at_utc, ended_at_utc::date as ended_date,
            job_count, failed_job_count, missing_day_count, (gpu_seconds / 3600)::double as gpu_hours,
            energy_kwh_low::double as energy_kwh_low, energy_kwh::double as energy_kwh,
            energy_kwh_high::double as energy_kwh_high, energy_method,
            coverage_ratio::double as coverage_ratio, lost_energy_kwh::double as lost_energy_kwh,
            lost_energy_ratio::double as lost_energy_ratio,
            days_since_previous_run_count as days_since, output_tokens::double as output_tokens,
            energy_wh_per_output_token::double * 1000 as wh_per_thousand_tokens,
            organisation_energy_ratio::double as organisation_energy_ratio,
            organisation_experiment_ratio::double as organisation_experiment_ratio,
            organisation_lost_ratio::double as organisation_lost_ratio
        from fct_training_run as run
        left join dim_workflow as flow on flow.workflow_id = run.workflow_id
        order by energy_kwh desc nulls last, gpu_seconds desc nulls last, run_id
        """
    )


def request_quantiles(book: Book) -> pandas.DataFrame:
    """Energy per request of the newest month that the days shown touch, for every perimeter."""
    return book.ask(
        """
        with newest as (select max(usage_month) as usage_month from fct_request_quantile_monthly where {months})
        select spread.usage_month, perimeter_type, perimeter_id,
            coalesce(flow.workflow_name, team.team_name, perimeter_id) as name,
            call_count::bigint as calls, gap_call_count::bigint as gap_calls, spread.energy_kwh::double as energy_kwh,
            mean_wh::double as mean_wh, p50_wh::double as p50_wh, p95_wh::double as p95_wh, p99_wh::double as p99_wh,
            top_1_percent_energy_ratio::double as top_ratio
        from fct_request_quantile_monthly as spread
        inner join newest on newest.usage_month = spread.usage_month
        left join dim_workflow as flow on perimeter_type = 'workflow' and flow.workflow_id = perimeter_id
        left join dim_team as team on perimeter_type = 'team' and team.team_id = perimeter_id
        order by perimeter_type, energy_kwh desc nulls last, calls desc, perimeter_id
        """
    )


def comparisons(book: Book) -> pandas.DataFrame:
    """Pairs of measurements with the verdict of the marts, the newest first."""
    ranges = ", ".join(
        f"{name}{end}::double as {name}{end}"
        for name in ("reference_energy_wh_per_unit", "compared_energy_wh_per_unit", "energy_ratio")
        for end in _ENDS
    )
    return book.ask(
        f"""
        select comparison_id, reference_measurement_id, compared_measurement_id, reference_subject, compared_subject,
            reference_phase, compared_phase, reference_date, compared_date, tested_condition, {ranges},
            differing_conditions, unstated_conditions, verdict
        from fct_comparison
        order by compared_date desc, comparison_id, reference_measurement_id, compared_measurement_id
        """
    )
