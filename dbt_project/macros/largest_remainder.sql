{#- The whole number `quantity` split by `share` over the rows of one `parts_of`, so that the parts add up to it.

    Each part is rounded down; the units that are left go to the largest remainders, ties to the first `tie` in
    order. `quantity` must be the same in all rows of one split, and the shares must sum to 1. Works for negative
    quantities (refunds), because rounding down always leaves a remainder of zero or more units. -#}
{% macro largest_remainder(quantity, share, parts_of, tie) -%}
    {#- wide enough for DECIMAL(18,0) x DECIMAL(9,8); DuckDB keeps a product of two narrow operands narrow -#}
    {%- set share = 'cast(' ~ share ~ ' as decimal(19, 8))' %}
    cast(
        floor({{ quantity }} * {{ share }})
        + case
            when row_number() over (
                partition by {{ parts_of }}
                order by {{ quantity }} * {{ share }} - floor({{ quantity }} * {{ share }}) desc, {{ tie }}
            ) <= {{ quantity }} - sum(floor({{ quantity }} * {{ share }})) over (partition by {{ parts_of }})
            then 1
            else 0
        end
    as decimal(18, 0))
{%- endmacro %}
