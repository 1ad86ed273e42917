{#- What an activity row counts, in whole units; tokens of one kind are never counted as another. Reasoning tokens are a
    part of the output tokens. -#}
{% macro activity_counts() -%}
    {{ return(['call_count', 'retry_count', 'error_count', 'input_tokens', 'cached_input_tokens',
        'cache_write_input_tokens', 'output_tokens', 'reasoning_output_tokens', 'image_count', 'audio_seconds',
        'video_seconds', 'gpu_seconds']) }}
{%- endmacro %}

{#- The counts that energy is estimated from, with the unit that their factors are given for. -#}
{% macro factor_counts() -%}
    {{ return({'request': 'call_count', 'input_token': 'input_tokens', 'cached_input_token': 'cached_input_tokens',
        'cache_write_token': 'cache_write_input_tokens', 'output_token': 'output_tokens', 'image': 'image_count',
        'audio_second': 'audio_seconds', 'video_second': 'video_seconds', 'nano_usd': 'cost_nano_usd'}) }}
{%- endmacro %}

{#- What a row of energy keeps of the activity that it stands for. -#}
{% macro energy_labels() -%}
    {{ return(['usage_date', 'usage_hour_utc', 'source', 'provider', 'provider_canonical', 'model_canonical',
        'lifecycle_stage', 'call_purpose', 'serving_mode', 'attribution_method', 'workflow_id', 'team_id', 'site_id']) }}
{%- endmacro %}
{% macro energy_columns(relation, zero=[], line=none) -%}
    {%- for name in energy_labels() + ['energy_line', 'meter_method'] + activity_counts() + ['cost_nano_usd'] %}
    {{ 'cast(0 as decimal(18, 0)) as ' ~ name if name in zero
        else line ~ ' as energy_line' if line and name == 'energy_line' else relation ~ '.' ~ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- Columns that a source cannot fill: unknown, which is not zero. -#}
{% macro not_told(names, type='bigint') -%}
    {%- for name in names %}
    cast(null as {{ type }}) as {{ name }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- What a row of the footprint does, in the order of its columns: energy, carbon and water. -#}
{% macro impacts() -%}
    {{ return(['energy_kwh_low', 'energy_kwh', 'energy_kwh_high', 'location_gco2e_low', 'location_gco2e',
        'location_gco2e_high', 'market_gco2e_low', 'market_gco2e', 'market_gco2e_high', 'embodied_gco2e',
        'water_onsite_litres', 'water_offsite_litres', 'water_litres']) }}
{%- endmacro %}

{#- The quantities that every footprint mart sums, in their order; an unknown part stays out of a sum and shows in coverage. -#}
{% macro summed_quantities(prefix='') -%}
    {%- for name in activity_counts() %}
    cast(sum({{ prefix }}{{ name }}) as decimal(38, 0)) as {{ name }},
    {%- endfor %}
    {%- for name in impacts() + ['cost_usd'] %}
    cast(sum({{ prefix }}{{ name }}) as decimal(38, 9)) as {{ name }},
    {%- endfor %}
    -- calls whose energy is known, here or in a meter that holds it; and those whose source tells retries
    cast(sum(case when coalesce({{ prefix }}gap_reason, '') in ('', 'metered_elsewhere') then {{ prefix }}call_count else 0 end)
        as decimal(38, 0)) as covered_call_count,
    cast(sum(case when {{ prefix }}retry_count is not null then {{ prefix }}call_count else 0 end) as decimal(38, 0))
        as retry_known_call_count,
    {{ ratio(
        'sum(case when coalesce(' ~ prefix ~ "gap_reason, '') in ('', 'metered_elsewhere') then " ~ prefix
        ~ 'call_count else 0 end)', 'sum(' ~ prefix ~ 'call_count)') }} as coverage_ratio,
    -- energy that a meter read, over all energy that is known
    {{ ratio(
        'sum(case when ' ~ prefix ~ 'evidence_tier <= 1 then ' ~ prefix ~ 'energy_kwh else 0 end)',
        'sum(' ~ prefix ~ 'energy_kwh)') }} as measured_ratio
{%- endmacro %}
