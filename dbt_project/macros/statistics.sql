{#- Ratios and probabilities: descriptions of ledger figures, never ledger figures themselves. -#}

{#- numerator / denominator as DECIMAL(18,6); null where either is unknown or the denominator is zero. -#}
{% macro ratio(numerator, denominator, scale=6) -%}
    cast({{ numerator }} / nullif({{ denominator }}, 0) as decimal(24, {{ scale }}))
{%- endmacro %}

{#- P(Z <= z) of the standard normal distribution: Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.17,
    absolute error below 7.5e-8. -#}
{% macro normal_cdf(z) -%}
    {%- set t = '(1 / (1 + 0.2316419 * abs(' ~ z ~ ')))' -%}
    (case when {{ z }} < 0 then 0 else 1 end
     + (case when {{ z }} < 0 then 1 else -1 end) * exp(-({{ z }}) * ({{ z }}) / 2) * 0.3989422804014327
       * {{ t }} * (0.319381530 + {{ t }} * (-0.356563782 + {{ t }} * (1.781477937 + {{ t }} * (-1.821255978
       + {{ t }} * 1.330274429)))))
{%- endmacro %}
