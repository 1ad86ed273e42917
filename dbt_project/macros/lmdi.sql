{#- LMDI-I, the logarithmic mean Divisia index (Ang 2005, Energy Policy 33:867; Ang 2015, Energy Policy 86:233). -#}

{#- For logarithms only: what is published is rounded to decimals before anything is added up. -#}
{% macro real(x) -%} cast({{ x }} as double) {%- endmacro %}

{#- ln(compared / base), null where either is not above zero; to the last bit the negative of the change back. -#}
{% macro log_change(base, compared) -%}
    case when {{ base }} > 0 and {{ compared }} > 0
        then (ln({{ real(compared) }} / {{ real(base) }}) - ln({{ real(base) }} / {{ real(compared) }})) / 2 end
{%- endmacro %}

{#- ln of (compared share / base share), a share being the column `part` of `whole` on its side. -#}
{% macro log_share(part, whole) -%}
    {%- set base = real('base' ~ part) ~ ' * ' ~ real('compared' ~ whole) %}
    {%- set compared = real('compared' ~ part) ~ ' * ' ~ real('base' ~ whole) %}
    {{- log_change(base, compared) }}
{%- endmacro %}

{#- L(a, b) = (a - b) / (ln a - ln b), L(a, a) = a, of numbers above zero; `log` is their log_change. Where they nearly
    agree the quotient would be one of rounding errors: sqrt(ab) sinh(u/2) / (u/2) = sqrt(ab) (1 + u^2/24 + ...). -#}
{% macro logarithmic_mean(base, compared, log) -%}
    case when abs({{ log }}) < 0.001 then sqrt({{ real(base) }} * {{ real(compared) }}) * (1 + {{ log }} * {{ log }} / 24)
        else ({{ real(compared) }} - {{ real(base) }}) / {{ log }} end
{%- endmacro %}

{#- An effect as a decimal, so that sums do not depend on their order; null is no effect. -#}
{% macro effect(x) -%} cast(coalesce({{ x }}, 0) as decimal(38, 18)) {%- endmacro %}

{#- CTEs that end in `closed`: each `raw` effect of 18 digits in `of` becomes an `effect_quantity` of 12, so that those
    of one `parts_of` add up to their `whole`: by largest remainder.

    Each is rounded to the nearest; the units that are then missing, or too many, go to those that rounding took the most
    from, or gave the most to, ties to the first `factor`. That is the largest remainder, and unlike rounding down first
    it is the same the other way round. -#}
{% macro closed_effects(of, parts_of) -%}
rounded as (

    select *, cast(raw as decimal(38, 12)) as nearest from {{ of }}

),

missing as (

    select
        *,
        whole - sum(nearest) over (partition by {{ parts_of }}) as missing_quantity,
        count(*) over (partition by {{ parts_of }}) as part_count
    from rounded

),

ranked as (

    select
        *,
        sign(missing_quantity) as direction,
        cast(abs(missing_quantity) * 1000000000000 as decimal(38, 0)) as unit_count,
        row_number() over (
            partition by {{ parts_of }} order by (raw - nearest) * sign(missing_quantity) desc, part, factor) as place
    from missing

),

closed as (

    select
        *,
        cast(nearest + direction * cast(0.000000000001 as decimal(13, 12)) * cast(
            floor(unit_count / part_count) + case when place <= mod(unit_count, part_count) then 1 else 0 end
        as decimal(20, 0)) as decimal(38, 12)) as effect_quantity
    from ranked

)
{%- endmacro %}
