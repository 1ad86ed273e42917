{#- An instant given in whole Unix seconds, as a TIMESTAMP in UTC. -#}
{% macro from_unix_seconds(seconds) -%} {{ return(adapter.dispatch('from_unix_seconds', 'jevons')(seconds)) }} {%- endmacro %}
{% macro default__from_unix_seconds(seconds) -%} make_timestamp(cast({{ seconds }} as bigint) * 1000000) {%- endmacro %}
{% macro spark__from_unix_seconds(seconds) -%} timestamp_seconds({{ seconds }}) {%- endmacro %}
