-- One row per newest evaluation of a model on hardware, task and metric under its conditions, with the energy of an item.

{%- set conditions = ['model_id', 'hardware', 'task', 'metric', 'engine', 'precision', 'batch_size'] %}

with

results as (

    select
        *,
        row_number() over (partition by {{ conditions | join(', ') }} order by evaluated_date desc) as recency,
        split_part(model_id, '/', 1) as provider_reported,
        substr(model_id, length(split_part(model_id, '/', 1)) + 2) as model_reported
    from {{ ref('stg_evaluations__results') }}

),

aliases as (select * from {{ ref('model_alias') }}),

factors as ({{ usable_factors() }}),

newest as (

    select
        results.*,
        row_number() over (order by {{ conditions | join(', ') }}) as result_number,
        coalesce(aliases.provider_canonical, results.provider_reported) as provider_canonical,
        coalesce(aliases.model_canonical, results.model_reported) as model_canonical
    from results
    {{ join_aliases('results', 'provider_reported', 'evaluated_date') }}
    where results.recency = 1

),

-- where nobody measured an item: its tokens, at the best factor of the model
estimated as (

    select
        newest.result_number, factors.factor_id, factors.evidence_tier,
        {%- for end in ['_low', '', '_high'] %}
        cast({{ wh_from_kwh('(factors.kwh_per_request' ~ end
            ~ ' + cast(newest.input_tokens_per_item as decimal(12, 3)) * factors.kwh_per_input_token' ~ end
            ~ ' + cast(newest.output_tokens_per_item as decimal(12, 3)) * factors.kwh_per_output_token' ~ end ~ ')') }} as decimal(24, 9))
            as energy_wh_per_item{{ end }},
        {%- endfor %}
        row_number() over (
            partition by newest.result_number
            order by factors.evidence_tier, factors.gpu_model is null, {{ factor_preference('factors') }}
        ) as choice
    from newest
    inner join factors
        on newest.provider_canonical = factors.provider
        and newest.model_canonical = factors.model_name
        and (factors.gpu_model is null
            or position(lower(factors.gpu_model) in lower(coalesce(newest.hardware, ''))) > 0)
        and {{ is_for('factors', 'newest.provider_reported', 'newest.evaluated_date') }}
    where newest.energy_wh_per_item is null

),

described as (

    select
        newest.model_id, newest.hardware, newest.task, newest.metric, newest.engine, newest.precision,
        newest.batch_size, newest.quality_score, newest.quality_low, newest.quality_high,
        case when newest.is_lower_better then -newest.quality_score else newest.quality_score end as quality_rank,
        coalesce(newest.is_lower_better, false) as is_lower_better,
        newest.item_count, newest.evaluated_date, newest.evaluated_by, newest.evidence,
        {%- for end in ['_low', '', '_high'] %}
        coalesce(cast(newest.energy_wh_per_item{{ end }} as decimal(24, 9)), estimated.energy_wh_per_item{{ end }})
            as energy_wh_per_item{{ end }},
        {%- endfor %}
        case
            when newest.energy_wh_per_item is not null then 'measured'
            when estimated.energy_wh_per_item is not null then 'estimated'
            else 'unknown'
        end as energy_basis,
        case when newest.energy_wh_per_item is not null then newest.energy_boundary
            when estimated.energy_wh_per_item is not null then 'facility' end as energy_boundary,
        case when estimated.energy_wh_per_item is not null then estimated.factor_id end as factor_id,
        case when estimated.energy_wh_per_item is not null then estimated.evidence_tier end as evidence_tier
    from newest
    left join estimated on newest.result_number = estimated.result_number and estimated.choice = 1

)

select * from described
