-- One row per day x provider x model x serving mode that was active: the factor of the best evidence that is in force.
{{ config(materialized='ephemeral') }}

with

activity as (select * from {{ ref('int_activity__hourly') }} where {{ in_days('usage_date') }}),

factors as ({{ usable_factors() }}),

providers as (select * from {{ ref('stg_settings__providers') }}),

size_classes as (select * from {{ ref('stg_settings__models') }}),

active as (

    select distinct usage_date, provider, provider_canonical, model_canonical, serving_mode
    from activity
    where meter_method = ''

),

described as (

    select
        active.*,
        coalesce(providers.gpu_model, '') as gpu_model,
        coalesce(providers.energy_from, '') = 'spend' as is_by_spend,
        coalesce(size_classes.size_class, '') as size_class
    from active
    left join providers on active.provider = providers.provider
    left join size_classes
        on active.provider_canonical = size_classes.provider and active.model_canonical = size_classes.model

),

-- the rungs: the model itself (disclosed, measured on this GPU or estimated), the class that its owner put it in, and its price
candidates as (

    select described.*, factors.factor_id, factors.valid_from as factor_valid_from
    from described
    inner join factors
        on described.provider_canonical = factors.provider
        and described.model_canonical = factors.model_name
        and coalesce(factors.gpu_model, described.gpu_model) = described.gpu_model
        and {{ is_for('factors', 'described.provider', 'described.usage_date') }}
    union all
    select described.*, factors.factor_id, factors.valid_from
    from described
    inner join factors on factors.provider = 'size_class' and described.size_class = factors.model_name
    union all
    select described.*, factors.factor_id, factors.valid_from
    from described
    inner join factors on factors.provider = 'spend' and described.is_by_spend

),

ranked as (

    select
        candidates.usage_date, candidates.provider, candidates.provider_canonical, candidates.model_canonical,
        candidates.serving_mode, candidates.factor_id,
        row_number() over (
            partition by candidates.usage_date, candidates.provider, candidates.provider_canonical,
                candidates.model_canonical, candidates.serving_mode
            order by factors.evidence_tier, {{ factor_preference('factors') }}
        ) as rung
    from candidates
    inner join factors on candidates.factor_id = factors.factor_id
    where candidates.usage_date >= candidates.factor_valid_from

),

chosen as (

    select
        ranked.usage_date, ranked.provider, ranked.provider_canonical, ranked.model_canonical, ranked.serving_mode,
        factors.factor_id, factors.evidence_tier, factors.wue_onsite_litres_per_kwh,
        factors.embodied_gco2e_per_request, factors.embodied_gco2e_per_output_token
        {%- for end in ['_low', '', '_high'] %}
        {%- for kind in factor_counts() %}
        , {% if kind == 'output_token' -%}
        -- a vendor's batch service runs larger batches, in which a token costs less
        case
            when ranked.serving_mode = 'batch' then cast(
                factors.kwh_per_output_token{{ end }} * factors.batch_output_ratio{{ end }} as decimal(18, 18))
            else factors.kwh_per_output_token{{ end }}
        end as kwh_per_output_token{{ end }}
        {%- else -%}
        factors.kwh_per_{{ kind }}{{ end }}
        {%- endif %}
        {%- endfor %}
        {%- endfor %}
    from ranked
    inner join factors on ranked.factor_id = factors.factor_id
    where ranked.rung = 1

)

select * from chosen
