{#- Matching electricity with contracts in whole billionths of a kWh and millionths of a gram: no
    division leaves the whole numbers.
    One operand of each product is wider than 18 digits: DuckDB keeps a product of two narrow ones narrow. -#}

{#- kWh with nine decimals as whole billionths, and back; exact. -#}
{% macro nano_kwh(kwh) -%}
    cast(cast({{ kwh }} as decimal(27, 9)) * cast(1000000000 as decimal(10, 0)) as decimal(28, 0))
{%- endmacro %}
{% macro kwh_from_nano(nano_kwh) -%}
    cast(cast({{ nano_kwh }} as decimal(28, 0)) * cast(0.000000001 as decimal(10, 9)) as decimal(27, 9))
{%- endmacro %}
{% macro nano_kwh_from_mwh(mwh) -%}
    cast(cast({{ mwh }} as decimal(20, 6)) * cast(1000000000000 as decimal(13, 0)) as decimal(20, 0))
{%- endmacro %}

{#- An intensity with six decimals as whole millionths of a gram per kWh, and back; exact. -#}
{% macro micro_grams(gco2e_per_kwh) -%}
    cast(cast({{ gco2e_per_kwh }} as decimal(19, 6)) * cast(1000000 as decimal(7, 0)) as decimal(12, 0))
{%- endmacro %}
{% macro grams_from_micro(micro_grams) -%}
    cast(cast({{ micro_grams }} as decimal(12, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(12, 6))
{%- endmacro %}

{#- Whole billionths of a kWh x whole millionths of a gram per kWh; the product fits 38 digits. -#}
{% macro nano_times_micro(nano_kwh, micro_grams) -%}
    cast({{ nano_kwh }} as decimal(26, 0)) * cast({{ micro_grams }} as decimal(12, 0))
{%- endmacro %}

{#- A quotient of whole numbers that are not negative, rounded once, half up; null where the divisor is zero. -#}
{% macro rounded_quotient(dividend, divisor) -%}
    {{ return(adapter.dispatch('rounded_quotient', 'jevons')(dividend, divisor)) }}
{%- endmacro %}
{% macro default__rounded_quotient(dividend, divisor) -%}
    cast((2 * cast({{ dividend }} as hugeint) + cast({{ divisor }} as hugeint))
        // nullif(2 * cast({{ divisor }} as hugeint), 0) as decimal(12, 0))
{%- endmacro %}
{% macro spark__rounded_quotient(dividend, divisor) -%}
    cast(floor((2 * ({{ dividend }}) + ({{ divisor }})) / nullif(2 * ({{ divisor }}), 0)) as decimal(12, 0))
{%- endmacro %}

{#- Whole hours from one instant to another. -#}
{% macro hours_between(first, last) -%}
    {{ whole_quotient('(' ~ unix_milliseconds(last) ~ ' - ' ~ unix_milliseconds(first) ~ ')', '3600000') }}
{%- endmacro %}
