-- One row per workflow x provider x model x purpose x serving mode x factor x gap: the last month of days, summed.
{{ config(materialized='table') }}

{%- set keys = ['workflow_id', 'provider', 'model_id', 'call_purpose', 'serving_mode', 'factor_id', 'gap_reason'] %}

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

days as (select * from {{ ref('int_workload__window') }}),

summed as (

    select
        as_of_date, {{ keys | join(', ') }},
        {%- for name in ['call_count', 'retry_count', 'error_count', 'input_tokens', 'cached_input_tokens',
            'output_tokens'] %}
        cast(sum({{ name }}) as decimal(38, 0)) as {{ name }},
        {%- endfor %}
        cast(sum({{ covered_calls() }}) as decimal(38, 0)) as covered_call_count,
        cast(sum(case when retry_count is not null then call_count else 0 end) as decimal(38, 0))
            as retry_known_call_count,
        {%- for end in ['_low', '', '_high'] %}
        cast(sum(energy_kwh{{ end }}) as decimal(38, 9)) as energy_kwh{{ end }}{{ ',' if not loop.last }}
        {%- endfor %}
    from footprint
    cross join days
    where usage_date >= month_first_date
    group by as_of_date, {{ keys | join(', ') }}

)

select * from summed
