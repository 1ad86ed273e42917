-- One row per model x hardware x task x metric x conditions: quality beside energy, and whether any other is better in both.

{%- set conditions = ['model_id', 'hardware', 'task', 'metric', 'engine', 'precision', 'batch_size'] %}

with

results as (

    select *, row_number() over (order by {{ conditions | join(', ') }}) as result_number
    from {{ ref('int_evaluation__energy') }}

),

-- only energies of one boundary can be told larger from smaller
beaten as (

    select distinct results.result_number
    from results
    inner join results as others
        on results.task = others.task
        and results.metric = others.metric
        and results.energy_boundary = others.energy_boundary
        and others.quality_rank >= results.quality_rank
        and others.energy_wh_per_item <= results.energy_wh_per_item
        and (others.quality_rank > results.quality_rank or others.energy_wh_per_item < results.energy_wh_per_item)

),

described as (

    select
        {% for name in conditions %}results.{{ name }}, {% endfor %}
        cast(results.quality_score as decimal(18, 6)) as quality_score,
        cast(results.quality_low as decimal(18, 6)) as quality_low,
        cast(results.quality_high as decimal(18, 6)) as quality_high,
        results.is_lower_better,
        results.item_count,
        cast(results.energy_wh_per_item_low as decimal(24, 9)) as energy_wh_per_item_low,
        cast(results.energy_wh_per_item as decimal(24, 9)) as energy_wh_per_item,
        cast(results.energy_wh_per_item_high as decimal(24, 9)) as energy_wh_per_item_high,
        results.energy_basis,
        results.energy_boundary,
        results.evidence_tier,
        results.factor_id,
        case when results.energy_wh_per_item is not null then beaten.result_number is null end as is_on_frontier,
        results.evaluated_date,
        results.evaluated_by,
        results.evidence
    from results
    left join beaten on results.result_number = beaten.result_number

)

select * from described
