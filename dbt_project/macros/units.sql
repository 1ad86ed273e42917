{#- Conversions between units: the only numbers that may stand in SQL, because they are definitions, not factors. -#}

{#- Millijoules to kWh, exactly: 1 kWh is 3.6e9 mJ, so 1 mJ is 10/36 of a billionth of a kWh; half a billionth rounds up. -#}
{% macro millijoules_to_kwh(millijoules) -%}
    cast(cast({{ whole_quotient('cast(' ~ millijoules ~ ' as decimal(38, 0)) * 10 + 18', '36') }} as decimal(24, 0))
        * cast(0.000000001 as decimal(10, 9)) as decimal(24, 9))
{%- endmacro %}

{#- kWh with at most 6 decimals to millijoules, exactly. -#}
{% macro millijoules_from_kwh(kwh) -%}
    cast(cast({{ kwh }} as decimal(24, 6)) * cast(3600000000 as decimal(10, 0)) as bigint)
{%- endmacro %}

{#- Whole seconds to hours, in billionths: half of one rounds up. -#}
{% macro hours_from_seconds(seconds) -%}
    (cast({{ whole_quotient('(cast(' ~ seconds ~ ' as decimal(38, 0)) * 1000000000 + 1800)', '3600') }} as decimal(28, 0))
        * cast(0.000000001 as decimal(10, 9)))
{%- endmacro %}

{% macro wh_from_kwh(kwh) -%} ({{ kwh }} * 1000) {%- endmacro %}

{% macro thousandths(count) -%} (cast({{ count }} as decimal(34, 0)) * cast(0.001 as decimal(4, 3))) {%- endmacro %}

{% macro millionths(count) -%} (cast({{ count }} as decimal(31, 0)) * cast(0.000001 as decimal(7, 6))) {%- endmacro %}

{#- Pounds per MWh to grams per kWh: the pound is 453.59237 g by definition. -#}
{% macro g_per_kwh_from_lb_per_mwh(value) -%} ({{ value }} * cast(0.45359237 as decimal(9, 8))) {%- endmacro %}

{% macro half(value) -%} (cast({{ value }} as decimal(18, 6)) * cast(0.5 as decimal(2, 1))) {%- endmacro %}

{% macro kg_from_g(grams) -%} ({{ grams }} * cast(0.001 as decimal(4, 3))) {%- endmacro %}
{% macro g_from_kg(kilograms) -%} (cast({{ kilograms }} as decimal(24, 6)) * cast(1000 as decimal(4, 0))) {%- endmacro %}

{#- The whole part of a quotient of whole numbers, without passing through binary fractions. -#}
{% macro whole_quotient(dividend, divisor) -%}
    {{ return(adapter.dispatch('whole_quotient', 'jevons')(dividend, divisor)) }}
{%- endmacro %}
{% macro default__whole_quotient(dividend, divisor) -%} (cast({{ dividend }} as hugeint) // cast({{ divisor }} as hugeint)) {%- endmacro %}
{% macro spark__whole_quotient(dividend, divisor) -%} floor(({{ dividend }}) / {{ divisor }}) {%- endmacro %}

{#- Whole billionths of a dollar to dollars, exactly. -#}
{% macro usd_from_nano_usd(nano_usd) -%}
    (cast({{ nano_usd }} as decimal(27, 0)) * cast(0.000000001 as decimal(10, 9)))
{%- endmacro %}
