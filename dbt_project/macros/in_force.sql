{#- The rows of a factor seed whose set is in force. -#}
{% macro set_rank(column) -%}
    case {{ column }} {% for name in var('factor_sets') %}when '{{ name }}' then {{ loop.index }} {% endfor %}end
{%- endmacro %}
{#- The factors of models that may be chosen, and their order within a rung: the later one first, then the preferred set. -#}
{% macro usable_factors() -%}
    select * from {{ ref('factor_set') }} where {{ in_force('factor_set') }} and quarantine_reason is null
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
