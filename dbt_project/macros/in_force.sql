{#- The rows of a factor seed whose set is in force. -#}
{% macro set_rank(column) -%}
    case {{ column }} {% for name in var('factor_sets') %}when '{{ name }}' then {{ loop.index }} {% endfor %}end
{%- endmacro %}
{#- The factors of models that may be chosen, frozen ones and a supplier's, and their order within a rung: the later one
    first, then the preferred set. -#}
{% macro usable_factors() -%}
    {%- set columns = ['factor_id', 'factor_set', 'provider', 'model_name', 'gpu_model', 'evidence_tier', 'valid_from',
        'embodied_gco2e_per_request', 'embodied_gco2e_per_output_token', 'wue_onsite_litres_per_kwh'] %}
    {%- for end in ['_low', '', '_high'] %}
    {%- do columns.append('batch_output_ratio' ~ end) %}
    {%- for kind in factor_counts() %}{% do columns.append('kwh_per_' ~ kind ~ end) %}{% endfor %}
    {%- endfor %}
    select {{ columns | join(', ') }}, cast(null as varchar) as supplier, cast(null as date) as valid_to
    from {{ ref('factor_set') }}
    where {{ in_force('factor_set') }} and quarantine_reason is null
    union all
    select {{ columns | join(', ') }}, supplier, valid_to
    from {{ ref('int_disclosure__factors') }}
    where quarantine_reason is null
{%- endmacro %}
{#- Whether a factor is for calls of that provider on that day, in a join: a supplier's figure is for its own calls, on its
    own days. -#}
{% macro is_for(relation, provider, day) -%}
    ({{ relation }}.supplier is null or ({{ relation }}.supplier = {{ provider }} and {{ day }} >= {{ relation }}.valid_from
        and {{ day }} < coalesce({{ relation }}.valid_to, cast('9999-12-31' as date))))
{%- endmacro %}
{% macro factor_preference(relation) -%}
    {{ relation }}.valid_from desc, {{ set_rank(relation ~ '.factor_set') }}, {{ relation }}.factor_id
{%- endmacro %}
{#- The rows of `relation` with what a model's reported name stood for on that day, as `aliases`. -#}
{% macro join_aliases(relation, provider, day) -%}
    left join aliases
        on {{ relation }}.{{ provider }} = aliases.provider
        and {{ relation }}.model_reported = aliases.model_reported
        and {{ relation }}.{{ day }} >= aliases.valid_from
        and {{ relation }}.{{ day }} < coalesce(aliases.valid_to, cast('9999-12-31' as date))
{%- endmacro %}
{% macro in_force(column) -%} {{ column }} in ('{{ var("factor_sets") | join("', '") }}') {%- endmacro %}
