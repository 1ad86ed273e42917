-- One row per day x workflow x model x length class x attribution x gap x bin of energy: the requests of the call log.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

{%- set names = ['provider', 'model_reported', 'serving_mode', 'api_key_id', 'project_id', 'workflow_tag'] %}
{#- a cost is looked at only where energy is reckoned from it: for most of millions of requests it is not -#}
{%- set cost_that_counts = 'case when numbers.kwh_per_nano_usd > 0 then calls.cost_usd end' %}
{%- set keys = ['usage_date', 'workflow_id', 'team_id', 'attribution_method', 'model_id', 'gap_reason', 'factor_id'] %}

with

calls as (select * from {{ ref('stg_call_log__calls') }} where {{ in_days('usage_date') }}),

-- numbered, so that millions of requests are summed by a number and not by text; one number has one set of factors
kinds as (

    select *, dense_rank() over (order by {{ keys | join(', ') }}, serving_mode) as kind_number
    from {{ ref('int_request__kinds') }}
    where {{ in_days('usage_date') }}

),

numbers as (

    select usage_date, {{ fingerprint('kinds', names) }} as names_number, kind_number
        {%- for kind in factor_counts() %}, {{ approximately('kwh_per_' ~ kind) }} as kwh_per_{{ kind }}{% endfor %}
    from kinds

),

labels as (

    select distinct kind_number, {{ keys | join(', ') }}
        {%- for kind in factor_counts() %}, kwh_per_{{ kind }}{% endfor %}
    from kinds

),

workflows as (select * from {{ ref('stg_registry__workflows') }}),

requests as (

    select
        numbers.kind_number,
        {%- for count in request_counts().values() if count != 'cost_nano_usd' %} calls.{{ count }},{% endfor %}
        {{ cost_that_counts }} as cost_usd,
        {{ calls_kwh('1', 'calls', 'numbers', approximately(cost_that_counts) ~ ' * 1000000000') }} as about_kwh
    from calls
    inner join numbers
        on calls.usage_date = numbers.usage_date and {{ fingerprint('calls', names) }} = numbers.names_number

),

-- the bin is described in binary fractions, its energy reckoned exactly: from sums of what factors are given for
bins as (

    select
        kind_number, {{ length_class('output_tokens') }} as length_class, {{ energy_bin('about_kwh') }} as bin_number,
        cast(count(*) as decimal(18, 0)) as call_count
        {%- for count in request_counts().values() if count != 'cost_nano_usd' %},
        cast(sum({{ count }}) as decimal(18, 0)) as {{ count }}
        {%- endfor %},
        {{ nano_usd_from_usd('sum(cost_usd)') }} as cost_nano_usd
    from requests
    group by kind_number, {{ length_class('output_tokens') }}, {{ energy_bin('about_kwh') }}

),

known as (

    select
        {%- for key in keys %} labels.{{ key }},{% endfor %}
        bins.length_class, bins.bin_number, bins.call_count,
        coalesce(labels.gap_reason, case when bins.bin_number is null then 'no_rule' end) as why_not,
        case when bins.bin_number is not null then {{ calls_kwh('bins.call_count', 'bins', 'labels') }} end as exact_kwh
    from bins
    inner join labels on bins.kind_number = labels.kind_number

),

distribution as (

    select
        known.usage_date, known.workflow_id, known.team_id, known.attribution_method, known.model_id,
        coalesce(workflows.latency_tier, 'unknown') as latency_tier,
        known.length_class, known.why_not as gap_reason, known.bin_number,
        cast(sum(known.call_count) as decimal(38, 0)) as call_count,
        cast(sum(known.exact_kwh) as decimal(38, 9)) as energy_kwh
    from known
    left join workflows on known.workflow_id = workflows.workflow_id
    group by known.usage_date, known.workflow_id, known.team_id, known.attribution_method, known.model_id,
        coalesce(workflows.latency_tier, 'unknown'), known.length_class, known.why_not, known.bin_number

)

select * from distribution
