{#- What a decomposition is made of: each period's use by workflow and model, side by side. -#}

{#- The measures, with their unit: the ledger's column, and the reason why it may be unknown where the energy is known. -#}
{% macro decomposed_measures() -%}
    {{ return({'energy_kwh': ['energy_kwh', 'no_factor'], 'location_kgco2e': ['location_gco2e', 'no_intensity'],
        'market_kgco2e': ['market_gco2e', 'no_contract']}) }}
{%- endmacro %}

{#- CTE from `used_days` and `periods` (period_id, first_date, last_date): the days of each period. -#}
{% macro days_of_periods() -%}
days as (

    select periods.period_id, used_days.usage_date
    from used_days
    inner join periods
        on used_days.usage_date >= periods.first_date and used_days.usage_date <= periods.last_date

)
{%- endmacro %}

{#- CTEs from `footprint` and `days` to `cells`.

    Own hardware stands in other rows than the calls that it answered: both are one cell of their workflow, `metered`. -#}
{% macro ledger_cells() -%}
summed as (

    select
        days.period_id, footprint.workflow_id,
        case
            when footprint.provider = 'hardware' then case footprint.lifecycle_stage
                when 'idle' then 'idle' when 'inference' then 'metered' when 'unknown' then 'metered' else 'jobs' end
            when footprint.gap_reason = 'metered_elsewhere' then 'metered'
            else 'calls'
        end as kind,
        case
            when footprint.provider = 'hardware' then case footprint.lifecycle_stage
                when 'inference' then '' when 'unknown' then '' when 'idle' then footprint.model_id
                else footprint.lifecycle_stage end
            when footprint.gap_reason = 'metered_elsewhere' then ''
            else coalesce(footprint.model_id, '')
        end as cell,
        footprint.energy_line = 'overhead' as is_overhead,
        footprint.gap_reason,
        {%- for column, _ in decomposed_measures().values() %}
        footprint.{{ column }} is not null as is_{{ column }},
        sum(footprint.{{ column }}) as {{ column }},
        sum(footprint.{{ column }}_high) as {{ column }}_high,
        {%- endfor %}
        min(footprint.factor_id) as first_factor_id, max(footprint.factor_id) as last_factor_id,
        sum(footprint.call_count) as call_count, sum(footprint.gpu_seconds) as gpu_seconds,
        sum(coalesce(footprint.input_tokens, 0) + coalesce(footprint.cached_input_tokens, 0)
            + coalesce(footprint.cache_write_input_tokens, 0) + coalesce(footprint.output_tokens, 0)) as token_count
    from footprint
    inner join days on footprint.usage_date = days.usage_date
    group by
        days.period_id, footprint.workflow_id, kind, cell, is_overhead, footprint.gap_reason
        {%- for column, _ in decomposed_measures().values() %}, footprint.{{ column }} is not null{% endfor %}

),

cells as (

    {%- for measure, (column, reason) in decomposed_measures().items() %}
    {%- set known = 'is_' ~ column ~ ' then ' %}
    select
        period_id, '{{ measure }}' as measure, workflow_id, kind, cell,
        sum(call_count) as call_count, sum(gpu_seconds) as gpu_seconds, sum(token_count) as token_count,
        sum(case when {{ known }}call_count else 0 end) as known_call_count,
        sum(case when {{ known }}gpu_seconds else 0 end) as known_gpu_seconds,
        sum(case when {{ known }}token_count else 0 end) as known_token_count,
        sum(case when {{ known }}case when is_overhead then 0 else energy_kwh end end) as it_kwh,
        sum(case when {{ known }}energy_kwh end) as facility_kwh,
        cast(sum({{ column if measure == 'energy_kwh' else kg_from_g(column) }}) as decimal(38, 12)) as quantity,
        min(case when {{ known }}case when not is_overhead then first_factor_id end end) as first_factor_id,
        max(case when {{ known }}case when not is_overhead then last_factor_id end end) as last_factor_id,
        sum(case when is_{{ column }} or gap_reason = 'metered_elsewhere' then call_count else 0 end)
            as covered_call_count,
        {%- set unknown = 'case when not is_' ~ column ~ " and coalesce(gap_reason, '') <> 'metered_elsewhere' then " %}
        sum({{ unknown }}{{ column ~ '_high' if measure == 'energy_kwh' else kg_from_g(column ~ '_high') }} end)
            as unknown_high,
        min({{ unknown }}coalesce(gap_reason, '{{ reason }}') end) as first_gap_reason,
        max({{ unknown }}coalesce(gap_reason, '{{ reason }}') end) as last_gap_reason
    from summed
    group by period_id, workflow_id, kind, cell
    {{ 'union all' if not loop.last }}
    {%- endfor %}

)
{%- endmacro %}
