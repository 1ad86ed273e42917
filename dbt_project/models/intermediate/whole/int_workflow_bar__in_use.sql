-- One row per workflow x task x metric with a quality bar in force, with the model in use and what is known of it.

with

footprint as (select * from {{ ref('fct_footprint_daily') }} where call_count > 0),

results as (select * from {{ ref('fct_model_choice') }}),

last_day as (select max(usage_date) as last_date from footprint),

bars as (

    select
        stated.*,
        row_number() over (partition by workflow_id, task, metric order by valid_from desc) as recency
    from {{ ref('stg_quality_bars__bars') }} as stated
    cross join last_day
    where valid_from <= coalesce(last_date, valid_from)

),

last_days as (

    select workflow_id, {{ add_days('max(usage_date)', -6) }} as first_date
    from footprint
    group by workflow_id

),

-- the model of most calls in the workflow's last seven days
used as (

    select
        footprint.workflow_id, footprint.model_id,
        row_number() over (
            partition by footprint.workflow_id order by sum(footprint.call_count) desc, footprint.model_id
        ) as choice
    from footprint
    inner join last_days on footprint.workflow_id = last_days.workflow_id
    where footprint.usage_date >= last_days.first_date
    group by footprint.workflow_id, footprint.model_id

),

-- of several evaluations of that model the one of least energy, so that no saving is overstated
in_use as (

    select
        bars.workflow_id, bars.task, bars.metric, bars.minimum_quality, bars.set_by, bars.reason, bars.valid_from,
        used.model_id as used_model_id,
        results.quality_score as used_quality_score,
        {%- for end in ['_low', '', '_high'] %}
        results.energy_wh_per_item{{ end }} as used_energy_wh_per_item{{ end }},
        {%- endfor %}
        results.energy_basis as used_energy_basis,
        results.energy_boundary as used_energy_boundary,
        row_number() over (
            partition by bars.workflow_id, bars.task, bars.metric
            order by results.energy_wh_per_item is null, results.energy_wh_per_item, results.hardware, results.engine,
                results.precision, results.batch_size
        ) as choice
    from bars
    left join used on bars.workflow_id = used.workflow_id and used.choice = 1
    left join results
        on bars.task = results.task and bars.metric = results.metric and used.model_id = results.model_id
    where bars.recency = 1

),

chosen as (select * from in_use where choice = 1)

select * from chosen
