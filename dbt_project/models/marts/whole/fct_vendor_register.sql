-- One row per vendor x question, unanswered ones included; the vendor's month stands on each of its rows.

{%- set ends = ['_low', '', '_high'] %}
{%- set shown = "sum(case when state = 'yes' then 1 else 0 end) over (partition by vendor_id, is_registered)" %}

with

vendors as (select * from {{ ref('stg_registry__vendors') }}),

days as (select * from {{ ref('int_workload__window') }}),

footprint as (select * from {{ ref('fct_footprint_daily') }}),

used as (

    select
        footprint.provider, max(footprint.scope3_category) as scope3_category, sum(footprint.call_count) as call_count,
        sum({{ covered_calls() }}) as covered_call_count,
        {%- for end in ends %}
        sum(footprint.energy_kwh{{ end }}) as energy_kwh{{ end }},
        {%- endfor %}
        sum(footprint.cost_usd) as cost_usd, sum(sum(footprint.energy_kwh)) over () as whole_kwh
    from footprint
    cross join days
    where footprint.usage_date >= days.month_first_date
    group by footprint.provider

),

named as (

    select
        coalesce(vendors.vendor_id, used.provider) as vendor_id, coalesce(vendors.vendor_name, used.provider) as vendor_name,
        coalesce(vendors.providers, used.provider) as providers, vendors.vendor_id is not null as is_registered, used.*
    from vendors
    full outer join used on position(' ' || used.provider || ' ' in ' ' || vendors.providers || ' ') > 0
    -- own and rented hardware has no vendor of models
    where vendors.vendor_id is not null or used.scope3_category = 1

),

summed as (

    select
        vendor_id, vendor_name, providers, is_registered,
        cast(coalesce(sum(call_count), 0) as decimal(38, 0)) as call_count,
        {{ ratio('sum(covered_call_count)', 'sum(call_count)') }} as coverage_ratio,
        {%- for end in ends %}
        cast(sum(energy_kwh{{ end }}) as decimal(38, 9)) as energy_kwh{{ end }},
        {%- endfor %}
        {{ ratio('sum(energy_kwh)', 'max(whole_kwh)') }} as energy_ratio,
        cast(sum(cost_usd) as decimal(38, 9)) as cost_usd
    from named
    group by vendor_id, vendor_name, providers, is_registered

),

questions as ({{ vendor_question_rows() }}),

newest as (

    select *, row_number() over (partition by vendor_id, question order by answered_on_date desc, answer_id desc) as age_rank
    from {{ ref('stg_registry__vendor_answers') }}

),

asked as (

    select
        summed.*, questions.question_number, questions.question, days.as_of_date, newest.answer, newest.answer_text,
        newest.evidence_title, newest.evidence_address, newest.answered_on_date,
        case when newest.answered_on_date <= days.as_of_date
            then {{ days_between('newest.answered_on_date', 'days.as_of_date') }} end as answer_age_days_count,
        case when not summed.is_registered then 'not asked' when newest.answer is null then 'unanswered'
            when newest.answer = 'no' then 'no' when newest.evidence_title is null then 'said, not shown'
            else newest.answer end as state
    from summed
    cross join questions
    left join days on true
    left join newest
        on summed.is_registered and summed.vendor_id = newest.vendor_id
        and questions.question = newest.question and newest.age_rank = 1

),

judged as (

    select
        vendor_id, is_registered, question, vendor_name, providers, question_number, state, answer, answer_text, evidence_title,
        evidence_address, answered_on_date, cast(answer_age_days_count as decimal(38, 0)) as answer_age_days_count,
        cast({{ shown }} as decimal(38, 0)) as yes_count,
        case when not is_registered then 'not asked' when {{ shown }} = 0 then 'a cheaper meter'
            when {{ shown }} < {{ vendor_questions() | length }} then 'answers in part' else 'answers all six' end as verdict,
        as_of_date, call_count, coverage_ratio, energy_kwh_low, energy_kwh, energy_kwh_high, energy_ratio, cost_usd
    from asked

)

select * from judged
