{#- Efficiency changes: the ratios in which a shift is looked for, the one that matters most first. -#}
{% macro watched_ratios() -%}
    {{ return(['energy_wh_per_outcome', 'energy_wh_per_call', 'energy_wh_per_1000_tokens', 'cost_usd_per_1000000_tokens']) }}
{%- endmacro %}

{#- What a review compares of the weeks before a change and those after it, besides energy. -#}
{% macro compared_counts() -%}
    {{ return(['call_count', 'covered_call_count', 'retry_count', 'background_call_count', 'all_tokens']) }}
{%- endmacro %}

{#- after / before - 1; null where either is unknown or nothing was there before. -#}
{% macro change_of(after, before) -%} {{ ratio('(' ~ after ~ ' - ' ~ before ~ ')', before) }} {%- endmacro %}

{#- Whether both sides of a comparison are there, whatever is known of their energy. -#}
{% macro is_whole(relation) -%}
    coalesce({{ relation }}.gap_reason, 'energy_unknown') in ('energy_unknown', 'factor_changed')
{%- endmacro %}

{#- The comparison of a change as the sum of those of its workflows: energy with its ends, and these counts. -#}
{% macro over_workflows(counts) -%}
    min(gap_reason) as gap_reason
    {%- for name in ['before', 'after', 'saved'] %}
    {%- for end in ['_low', '', '_high'] %},
    sum({{ name }}_energy_kwh{{ end }}) as {{ name }}_energy_kwh{{ end }}
    {%- endfor %}
    {%- for count in (['call_count'] if name == 'saved' else counts) %},
    cast(sum({{ 'before_call_count - after_call_count' if name == 'saved' else name ~ '_' ~ count }}) as decimal(38, 0))
        as {{ name }}_{{ count }}
    {%- endfor %}
    {%- endfor %}
{%- endmacro %}

{#- What became of the energy, the calls and the energy of a call, over a relation that compares whole weeks. Without all
    the days nothing is said; where the energy is known in part, or by another factor, its ends alone. -#}
{% macro realised(relation, prefix) -%}
    {%- set whole = is_whole(relation) %}
    {%- for name in ['before', 'after', 'saved'] %}
    case when {{ whole }} then cast({{ relation }}.{{ name }}_call_count as decimal(38, 0)) end as {{ prefix }}{{ name }}_call_count,
    {%- for end in ['_low', '', '_high'] %}
    case when {{ whole if end else relation ~ '.gap_reason is null' }}
        then cast({{ relation }}.{{ name }}_energy_kwh{{ end }} as decimal(38, 9)) end as {{ prefix }}{{ name }}_energy_kwh{{ end }},
    {%- endfor %}
    {%- endfor %}
    case when {{ whole }}
        then {{ change_of(relation ~ '.after_call_count', relation ~ '.before_call_count') }} end as {{ prefix }}call_change_ratio,
    case when {{ relation }}.gap_reason is null
        then {{ change_of(relation ~ '.after_energy_kwh', relation ~ '.before_energy_kwh') }} end as {{ prefix }}energy_change_ratio,
    case when {{ relation }}.gap_reason is null
        then cast({{ relation }}.after_energy_kwh / nullif({{ relation }}.after_call_count, 0)
            / nullif({{ relation }}.before_energy_kwh / nullif({{ relation }}.before_call_count, 0), 0) - 1 as decimal(24, 6))
    end as {{ prefix }}intensity_change_ratio,
    {{ relation }}.gap_reason as {{ prefix }}gap_reason
{%- endmacro %}
