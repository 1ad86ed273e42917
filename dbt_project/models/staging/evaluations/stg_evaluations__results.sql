-- One row per evaluation of a model on a task, under its conditions.
with

landed as (select * from {{ source('evaluations', 'results') }}),

renamed as (

    select
        model_id,
        hardware,
        task,
        metric,
        is_lower_better,
        quality_score,
        quality_low,
        quality_high,
        item_count,
        energy_wh_per_item_low,
        energy_wh_per_item,
        energy_wh_per_item_high,
        energy_boundary,
        input_tokens_per_item,
        output_tokens_per_item,
        engine,
        precision,
        batch_size,
        evaluated_date,
        evaluated_by,
        evidence
    from landed

)

select * from renamed
