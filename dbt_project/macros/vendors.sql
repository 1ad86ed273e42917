{#- The questions that tell whether a vendor sells less use of energy, or only shows it; the registry takes these words. -#}
{% macro vendor_questions() -%}
    {{ return(['workload_behind_claim', 'baseline', 'reporting_by_task', 'hard_budgets', 'small_model_routing',
        'background_off']) }}
{%- endmacro %}

{#- The same as rows: number and question. -#}
{% macro vendor_question_rows() -%}
    {%- for question in vendor_questions() %}
    select {{ loop.index }} as question_number, '{{ question }}' as question{{ ' union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
