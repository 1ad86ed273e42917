{#- The quantities that every footprint mart sums, in their order; an unknown part stays out of a sum and shows in coverage. -#}
{% macro summed_quantities(prefix='') -%}
    {%- set counts = ['call_count', 'retry_count', 'error_count', 'input_tokens', 'cached_input_tokens',
        'output_tokens', 'gpu_seconds'] -%}
    {%- set impacts = ['energy_kwh_low', 'energy_kwh', 'energy_kwh_high', 'location_gco2e', 'market_gco2e',
        'embodied_gco2e', 'water_litres', 'cost_usd'] -%}
    {%- for name in counts %}
    cast(sum({{ prefix }}{{ name }}) as decimal(38, 0)) as {{ name }},
    {%- endfor %}
    {%- for name in impacts %}
    cast(sum({{ prefix }}{{ name }}) as decimal(38, 9)) as {{ name }},
    {%- endfor %}
    -- calls whose energy is known, here or in a meter that holds it, over all calls
    {{ ratio(
        'sum(case when coalesce(' ~ prefix ~ "gap_reason, '') in ('', 'metered_elsewhere') then " ~ prefix
        ~ 'call_count else 0 end)', 'sum(' ~ prefix ~ 'call_count)') }} as coverage_ratio,
    -- energy that a meter read, over all energy that is known
    {{ ratio(
        'sum(case when ' ~ prefix ~ 'evidence_tier <= 1 then ' ~ prefix ~ 'energy_kwh else 0 end)',
        'sum(' ~ prefix ~ 'energy_kwh)') }} as measured_ratio
{%- endmacro %}
