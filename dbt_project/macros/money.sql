{#- Money: hundredths of a currency, whatever its smallest coin, so that one rule rounds them all. -#}

{#- What grams cost at a price of a tonne, in hundredths and exactly: a millionth of a tonne is a gram. -#}
{% macro hundredths_of_price(grams, price_per_tonne) -%}
    (cast({{ grams }} as decimal(21, 9))
        * cast({{ price_per_tonne }} * cast(0.0001 as decimal(4, 4)) as decimal(17, 8)))
{%- endmacro %}

{% macro from_hundredths(count) -%}
    cast(cast({{ count }} as decimal(34, 0)) * cast(0.01 as decimal(3, 2)) as decimal(38, 2))
{%- endmacro %}

{#- The exact decimals `quantity` as whole units that add up to their own sum, rounded half up: each is rounded down, and the
    units that are left go to the largest remainders, ties to the first `tie` in order. Nothing may be below 0. -#}
{% macro whole_parts(quantity, parts_of, tie) -%}
    (floor({{ quantity }})
        + case
            when row_number() over (partition by {{ parts_of }} order by {{ quantity }} - floor({{ quantity }}) desc, {{ tie }})
                <= round(sum({{ quantity }}) over (partition by {{ parts_of }}), 0)
                    - sum(floor({{ quantity }})) over (partition by {{ parts_of }})
            then 1
            else 0
        end)
{%- endmacro %}

{#- What a vendor states in cents, which may have a fraction, as dollars. -#}
{% macro usd_from_cents(cents) -%}
    cast({{ cents }} * cast(0.01 as decimal(3, 2)) as decimal(18, 9))
{%- endmacro %}

{#- Whole billionths of a dollar as dollars. -#}
{% macro usd_from_nano(count) -%}
    (cast({{ count }} as decimal(28, 0)) * cast(0.000000001 as decimal(10, 9)))
{%- endmacro %}
