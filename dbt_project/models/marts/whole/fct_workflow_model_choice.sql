-- One row per workflow x task x metric with a quality bar: the cheapest measured model that meets it, beside the one in use.

with

bars as (select * from {{ ref('int_workflow_bar__in_use') }}),

results as (select * from {{ ref('fct_model_choice') }} where energy_basis = 'measured'),

meeting as (

    select
        bars.workflow_id, bars.task, bars.metric,
        results.model_id, results.hardware, results.quality_score, results.energy_boundary,
        {%- for end in ['_low', '', '_high'] %}
        results.energy_wh_per_item{{ end }},
        {%- endfor %}
        case
            when results.is_lower_better then results.quality_high <= bars.minimum_quality
            else results.quality_low >= bars.minimum_quality
        end as is_surely_met,
        row_number() over (
            partition by bars.workflow_id, bars.task, bars.metric
            -- energies of one boundary can be compared, so those come first
            order by results.energy_boundary <> coalesce(bars.used_energy_boundary, results.energy_boundary),
                results.energy_wh_per_item, results.quality_score desc, results.model_id, results.hardware
        ) as choice
    from bars
    inner join results
        on bars.task = results.task and bars.metric = results.metric
        and case when results.is_lower_better then results.quality_score <= bars.minimum_quality
            else results.quality_score >= bars.minimum_quality end

),

compared as (

    select
        bars.*, meeting.model_id, meeting.hardware, meeting.quality_score, meeting.energy_boundary,
        meeting.energy_wh_per_item_low, meeting.energy_wh_per_item, meeting.energy_wh_per_item_high,
        meeting.is_surely_met,
        meeting.energy_boundary = bars.used_energy_boundary as is_comparable
    from bars
    left join meeting
        on bars.workflow_id = meeting.workflow_id and bars.task = meeting.task and bars.metric = meeting.metric
        and meeting.choice = 1

),

described as (

    select
        workflow_id, task, metric,
        cast(minimum_quality as decimal(18, 6)) as minimum_quality,
        set_by, reason, valid_from,
        used_model_id,
        used_quality_score,
        used_energy_wh_per_item_low, used_energy_wh_per_item, used_energy_wh_per_item_high,
        used_energy_basis, used_energy_boundary,
        model_id as cheapest_model_id,
        hardware as cheapest_hardware,
        quality_score as cheapest_quality_score,
        is_surely_met,
        energy_wh_per_item_low as cheapest_energy_wh_per_item_low,
        energy_wh_per_item as cheapest_energy_wh_per_item,
        energy_wh_per_item_high as cheapest_energy_wh_per_item_high,
        energy_boundary as cheapest_energy_boundary,
        cast(case when is_comparable then used_energy_wh_per_item_low - energy_wh_per_item_high end
            as decimal(24, 9)) as saving_wh_per_item_low,
        cast(case when is_comparable then used_energy_wh_per_item - energy_wh_per_item end
            as decimal(24, 9)) as saving_wh_per_item,
        cast(case when is_comparable then used_energy_wh_per_item_high - energy_wh_per_item_low end
            as decimal(24, 9)) as saving_wh_per_item_high,
        case
            when model_id is null then 'no measured model meets the bar'
            when used_model_id is null then 'no model is in use'
            when used_model_id = model_id then 'the cheapest is in use'
            when used_energy_wh_per_item is null then 'the energy of the model in use is unknown'
            when not is_comparable then 'not comparable: boundaries differ'
            when used_energy_wh_per_item_low > energy_wh_per_item_high then 'a cheaper model meets the bar'
            else 'no difference shown'
        end as finding
    from compared

)

select * from described
