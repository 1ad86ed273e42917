{#- Instants as whole Unix milliseconds and back: arithmetic on time in integers, which no engine rounds. -#}

{% macro unix_milliseconds(instant) -%} {{ return(adapter.dispatch('unix_milliseconds', 'jevons')(instant)) }} {%- endmacro %}
{% macro default__unix_milliseconds(instant) -%} epoch_ms({{ instant }}) {%- endmacro %}
{% macro spark__unix_milliseconds(instant) -%} unix_millis({{ instant }}) {%- endmacro %}

{% macro instant_of_milliseconds(count) -%} {{ return(adapter.dispatch('instant_of_milliseconds', 'jevons')(count)) }} {%- endmacro %}
{% macro default__instant_of_milliseconds(count) -%} make_timestamp(({{ count }}) * 1000) {%- endmacro %}
{% macro spark__instant_of_milliseconds(count) -%} timestamp_millis({{ count }}) {%- endmacro %}

{#- The whole numbers 0 .. count - 1 as a relation with the column `number`. -#}
{% macro whole_numbers(count) -%} {{ return(adapter.dispatch('whole_numbers', 'jevons')(count)) }} {%- endmacro %}
{% macro default__whole_numbers(count) -%} (select range as number from range({{ count }})) {%- endmacro %}
{% macro spark__whole_numbers(count) -%} (select id as number from range({{ count }})) {%- endmacro %}

{#- The part of a whole `quantity`, spread evenly from 0 to `whole`, that lies between `low` and `high`: rounded down
    at both ends, so that neighbouring parts always add up to the quantity. -#}
{% macro part_between(quantity, low, high, whole) -%}
    cast(
        {{ whole_quotient('cast(' ~ quantity ~ ' as decimal(20, 0)) * cast(' ~ high ~ ' as decimal(18, 0))', whole) }}
        - {{ whole_quotient('cast(' ~ quantity ~ ' as decimal(20, 0)) * cast(' ~ low ~ ' as decimal(18, 0))', whole) }}
    as bigint)
{%- endmacro %}

{#- Whether an interval crosses a midnight of the day that begins at `start` and ends more than `near_ms` (an hour) from it on either side. The
    file of the neighbouring day looks back and ahead no further: such an interval is unmeasured in both days, or it would be
    counted by one of them and not by the other. -#}
{% macro reaches_too_far(from_ms, to_ms, start, near_ms=3600000) -%}
    (
        {%- for midnight in [start, '(' ~ start ~ ' + 86400000)'] %}
        {{ 'or ' if not loop.first }}({{ from_ms }} < {{ midnight }} and {{ to_ms }} > {{ midnight }}
            and ({{ from_ms }} < {{ midnight }} - {{ near_ms }} or {{ to_ms }} >= {{ midnight }} + {{ near_ms }}))
        {%- endfor %}
    )
{%- endmacro %}
