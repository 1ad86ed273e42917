{#- Histograms of energy per request or per run: counts and exact sums by bin, so that any of them can be added up. -#}

{#- The bin of an energy in kWh: bin b holds what is at least 2^(b/8) Wh and less than 2^((b+1)/8) Wh, eight bins to a
    doubling. The outermost bins, -400 and 400, hold all that lies beyond, zero in the lowest; null stays null.
    Two engines may differ in the last bit of a logarithm, and so put what lies on an edge into neighbouring bins. -#}
{% macro energy_bin(kwh) -%}
    cast(case when {{ kwh }} >= 0 then greatest(-400, least(400, coalesce(
        floor(log2(nullif({{ wh_from_kwh(kwh) }}, 0)) * 8), -400))) end as integer)
{%- endmacro %}

{#- One number for several texts: millions of rows are joined by it in a quarter of the time that the texts take. Two of
    a few thousand share one by chance in one of 10^12 cases; requests_match_the_ledger would tell. -#}
{% macro fingerprint(relation, names) -%}
    {%- set texts = [] -%}
    {%- for name in names %}{% do texts.append('coalesce(' ~ relation ~ '.' ~ name ~ ", '')") %}{% endfor -%}
    {{ return(adapter.dispatch('fingerprint', 'jevons')(texts)) }}
{%- endmacro %}
{% macro default__fingerprint(texts) -%} hash({{ texts | join(', ') }}) {%- endmacro %}
{% macro spark__fingerprint(texts) -%} xxhash64({{ texts | join(', ') }}) {%- endmacro %}

{#- The energy in Wh that stands for a bin: its geometric middle, at most a factor 2^(1/16) (4.4 %) from any in it. -#}
{% macro bin_middle_wh(bin) -%} power(2, (2 * {{ bin }} + 1) / {{ approximately(16) }}) {%- endmacro %}

{#- As a binary fraction, for what only describes and is never added up. -#}
{% macro approximately(number) -%} ({{ number }} * 1e0) {%- endmacro %}

{#- The rank of a percentile among so many, counted from 1: the nearest rank, in whole numbers. -#}
{% macro rank_of_percentile(percent, among) -%}
    {{ whole_quotient('(' ~ among ~ ') * ' ~ percent ~ ' + 99', 100) }}
{%- endmacro %}

{#- The share of its energy that the top hundredth of a population used, over rows (bins or single ones) that each stand
    for `count` with `energy` and know how many rank `above` them, `among` all. Of a row at the edge, a part counts. -#}
{% macro top_hundredth_ratio(energy, count, above, among) -%}
    {%- set taken = 'greatest(0, least(' ~ count ~ ', ' ~ approximately(among) ~ ' / 100 - ' ~ above ~ '))' -%}
    cast(sum({{ approximately(energy) }} * {{ taken }} / {{ count }}) / nullif(sum({{ approximately(energy) }}), 0)
        as decimal(24, 6))
{%- endmacro %}

{#- The length of an answer in tokens, in powers of ten. -#}
{% macro length_class(output_tokens) -%}
    case
        when {{ output_tokens }} < 1 then 'none'
        when {{ output_tokens }} < 100 then 'short'
        when {{ output_tokens }} < 1000 then 'medium'
        when {{ output_tokens }} >= 1000 then 'long'
    end
{%- endmacro %}

{#- What the energy of a request is reckoned from: the counts that factors are given for, money in dollars. -#}
{%- macro request_counts() -%}
    {%- set counts = dict(factor_counts()) %}
    {%- do counts.pop('request') %}
    {%- do counts.update({'nano_usd': 'cost_nano_usd'}) %}
    {{ return(counts) }}
{%- endmacro %}

{#- The energy of calls in kWh: their counts times the factors of their kind, as the ledger reckons it. What was not done
    needs no factor; what was done and has none makes the whole unknown. -#}
{% macro calls_kwh(call_count, calls, factors, cost_nano_usd=none) -%}
    (
        {{ call_count }} * {{ factors }}.kwh_per_request
        {%- for kind, count in request_counts().items() %}
        {%- set counted = cost_nano_usd if cost_nano_usd and kind == 'nano_usd' else calls ~ '.' ~ count %}
        + case when coalesce({{ counted }}, 0) <= 0 then 0 else {{ counted }} * {{ factors }}.kwh_per_{{ kind }} end
        {%- endfor %}
    )
{%- endmacro %}

{#- What a step of an agent's run may do. -#}
{% macro step_kinds() -%} {{ return(['model', 'tool', 'retry', 'safety', 'other']) }} {%- endmacro %}

{#- A call's cost in whole billionths of a dollar; wide, because DuckDB keeps the product of two narrow numbers narrow. -#}
{% macro nano_usd_from_usd(usd) -%}
    cast(cast({{ usd }} as decimal(28, 9)) * 1000000000 as decimal(18, 0))
{%- endmacro %}
