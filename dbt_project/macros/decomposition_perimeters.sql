{#- Who looks at a decomposition, and what is seen from there. -#}

{#- The perimeters that a row `found` of a workflow counts in, with `workflows` joined to it. -#}
{% macro perimeters_of(found) -%}
    {{ return({'organisation': "'organisation'", 'unit': 'workflows.unit_id',
        'team': 'coalesce(workflows.team_id, ' ~ found ~ '.workflow_id)', 'workflow': found ~ '.workflow_id'}) }}
{%- endmacro %}

{#- The unit of several activities; those of some workflows are outcomes, of others calls. -#}
{% macro common_unit(unit) -%}
    case when min({{ unit }}) = max({{ unit }}) then min({{ unit }}) when min({{ unit }}) is not null then 'outcomes_and_calls' end
{%- endmacro %}

{#- A factor as it is seen from a perimeter: what lies above it moves its own activity. -#}
{% macro seen_factor(perimeter_type) -%}
    {%- if perimeter_type == 'organisation' -%} case when factor = 'unit_mix' then 'team_mix' else factor end
    {%- else -%}
    case when factor in ('unit_mix'
        {%- if perimeter_type != 'unit' %}, 'team_mix'{% endif %}
        {%- if perimeter_type == 'workflow' %}, 'workflow_mix'{% endif %}) then 'activity' else factor end
    {%- endif -%}
{%- endmacro %}

{#- The factors from the whole down to the workflow, in this order, and those within it. -#}
{% macro upper_factors() -%}
    {{ return(['days', 'activity', 'unit_mix', 'team_mix', 'workflow_mix', 'calls_per_outcome', 'known_share']) }}
{%- endmacro %}
{% macro lower_factors() -%}
    {{ return(['model_mix', 'coverage', 'tokens', 'estimation', 'energy_per_token', 'energy_per_unit', 'overhead',
        'grid_intensity']) }}
{%- endmacro %}
