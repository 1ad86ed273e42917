{#- How whole tables and views are made: each takes the place of the one before in one transaction.

    dbt-duckdb builds beside the old one, renames both, and asks after indexes and foreign keys, of which there are
    none: on a quiet day that takes longer than the models themselves. For readers nothing differs: they have the
    published build, and a statement that fails leaves the old table as it was. -#}
{% materialization table, adapter="duckdb", supported_languages=["sql", "python"] -%}
    {%- set relation = this.incorporate(type="table") -%}
    {{ run_hooks(pre_hooks) }}
    {{ away_with(load_cached_relation(this)) }}
    {%- call statement("main", language=model["language"]) -%}
        {{ create_table_as(False, relation, compiled_code, model["language"]) }}
    {%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({"relations": [relation]}) }}
{%- endmaterialization %}

{% materialization view, adapter="duckdb" -%}
    {%- set relation = this.incorporate(type="view") -%}
    {{ run_hooks(pre_hooks) }}
    {{ away_with(load_cached_relation(this)) }}
    {%- call statement("main") -%}{{ get_create_view_as_sql(relation, compiled_code) }}{%- endcall -%}
    {{ run_hooks(post_hooks) }}
    {{ adapter.commit() }}
    {{ return({"relations": [relation]}) }}
{%- endmaterialization %}

{% macro away_with(before) -%}
    {%- if before is not none -%}
        {%- call statement("drop") -%}drop {{ before.type }} {{ before }}{%- endcall -%}
    {%- endif -%}
{%- endmacro %}
