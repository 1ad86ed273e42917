{#- What an activity row counts, in whole units; tokens of one kind are never counted as another. Reasoning tokens are a
    part of the output tokens. -#}
{% macro activity_counts() -%}
    {{ return(['call_count', 'retry_count', 'error_count', 'input_tokens', 'cached_input_tokens',
        'cache_write_input_tokens', 'output_tokens', 'reasoning_output_tokens', 'image_count', 'audio_seconds',
        'video_seconds', 'gpu_seconds']) }}
{%- endmacro %}

{#- Input tokens as activity has them: each token is counted once, whatever a source means by input. -#}
{% macro input_without_cache() -%}
    case
        when input_includes_cached
            then input_tokens - coalesce(cached_input_tokens, 0) - coalesce(cache_write_input_tokens, 0)
        else input_tokens
    end
{%- endmacro %}

{#- All tokens that went in, those of the cache with them. -#}
{% macro all_input_tokens() -%}
    coalesce(input_tokens, 0) + coalesce(cached_input_tokens, 0) + coalesce(cache_write_input_tokens, 0)
{%- endmacro %}

{#- What an activity row is of. -#}
{% macro activity_labels() -%}
    {{ return(['usage_date', 'usage_hour_utc', 'source', 'provider', 'model_reported', 'api_key_id', 'project_id',
        'workflow_tag', 'pod', 'node', 'lifecycle_stage', 'call_purpose', 'serving_mode', 'energy_line', 'meter_method']) }}
{%- endmacro %}

{#- The columns of activity, all of them and in their order: those `named` as the relation has them, those `summed` over its
    groups, those that are `zero`, and those that are an expression (name='expression'). What a source does not tell is
    unknown, which is not zero; what it tells is usually direct inference. -#}
{% macro activity_columns(source, named=[], summed=[], zero=[], prefix='') -%}
    {%- set usual = {'source': "'" ~ source ~ "'", 'lifecycle_stage': "'inference'", 'call_purpose': "'unknown'",
        'energy_line': "'direct'", 'gpu_seconds': '0'} -%}
    {%- for name in activity_labels() + activity_counts() + ['energy_millijoules', 'cost_usd'] %}
    {%- set type = 'varchar' if name in activity_labels() else 'decimal(18, 9)' if name == 'cost_usd' else 'bigint' %}
    {%- if name in kwargs %}
    {{ kwargs[name] }} as {{ name }}
    {%- elif name in named + ['usage_date', 'usage_hour_utc'] %}
    {{ prefix }}{{ name }}
    {%- elif name in summed %}
    sum({{ prefix }}{{ name }}) as {{ name }}
    {%- elif name in zero %}
    cast(0 as {{ type }}) as {{ name }}
    {%- elif name in usual %}
    {{ usual[name] }} as {{ name }}
    {%- else %}
    cast(null as {{ type }}) as {{ name }}
    {%- endif %}{{ ',' if not loop.last }}
    {%- endfor %}
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
