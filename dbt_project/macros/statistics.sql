{#- Ratios: descriptions of ledger figures, never ledger figures themselves. -#}

{#- numerator / denominator as DECIMAL(18,6); null where either is unknown or the denominator is zero. -#}
{% macro ratio(numerator, denominator, scale=6) -%}
    cast({{ numerator }} / nullif({{ denominator }}, 0) as decimal(24, {{ scale }}))
{%- endmacro %}

{#- The 97.5 % quantile of Student's t, rounded up, by degrees of freedom: beyond 10 that of 10, which is on the safe side.
    Source: any table of the distribution; scipy.stats.t.ppf(0.975, df) in the tests. -#}
{% macro t_quantile(df) -%}
    case least({{ df }}, 10)
        {%- for value in ['12.707', '4.303', '3.183', '2.777', '2.571', '2.447', '2.365', '2.307', '2.263', '2.229'] %}
        when {{ loop.index }} then {{ value }}
        {%- endfor %}
    end
{%- endmacro %}
