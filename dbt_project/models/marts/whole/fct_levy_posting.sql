-- One row per month x levy x team or use x account x gap: what is debited and credited for carbon; each pair is balanced.

{%- set nothing, ends = "cast(null as varchar)", ['_low', '', '_high'] %}

with

carbon as (select * from {{ ref('int_levy__monthly') }}),

levies as (select * from {{ ref('stg_registry__levies') }}),

uses as (select * from {{ ref('stg_registry__levy_uses') }}),

restated as (

    select cast(date_trunc('month', usage_date) as date) as usage_month, count(distinct usage_date) as restated_day_count
    from {{ ref('fct_restatement') }}
    where version > 1
    group by 1

),

priced as (

    select
        carbon.*, levies.levy_kind,
        {{ hundredths_of_price('basis_gco2e', 'levies.price_per_tonne') }} as exact_hundredths,
        -- a bound is rounded up, or it would be none
        ceil({{ hundredths_of_price('basis_gco2e_high', 'levies.price_per_tonne') }}) as most_hundredths
    from carbon
    inner join levies on carbon.levy_id = levies.levy_id

),

owed as (

    select *, {{ whole_parts('exact_hundredths', 'usage_month, levy_id', 'team_id') }} as hundredths
    from priced
    where gap_reason is null

),

posted as (

    select
        usage_month, levy_id, team_id, {{ nothing }} as use_id, gap_reason,
        case when levy_kind = 'shadow' then 'shadow_cost' when team_id in ('orphan', 'unattributed') then 'perimeter_expense'
            else 'team_expense' end as account,
        {{ from_hundredths('hundredths') }} as debit_amount, {{ from_hundredths('0') }} as credit_amount,
        {{ from_hundredths('most_hundredths') }} as amount_high,
        {% for end in ends %}{{ kg_from_g('basis_gco2e' ~ end) }} as basis_kgco2e{{ end }}, {% endfor %}
        day_count, evidence, cast(null as date) as used_on_date, {{ nothing }} as purpose, {{ nothing }} as approved_by
    from owed

    union all

    select
        usage_month, levy_id, team_id, null, gap_reason,
        case when levy_kind = 'shadow' then 'shadow_contra' else 'levy_fund' end,
        {{ from_hundredths('0') }}, {{ from_hundredths('hundredths') }}, null, null, null, null, null, null, null, null, null
    from owed

    union all

    select
        usage_month, levy_id, team_id, null, gap_reason, 'not_posted', null, null, {{ from_hundredths('most_hundredths') }},
        null, null, {{ kg_from_g('basis_gco2e_high') }}, day_count, evidence, null, null, null
    from priced
    where gap_reason is not null

    {%- for account, sides in [('levy_fund', 'amount, ' ~ from_hundredths('0')), ('proceeds_used', from_hundredths('0') ~ ', amount')] %}

    union all

    select
        cast(date_trunc('month', used_on_date) as date), levy_id, null, use_id, null, '{{ account }}', {{ sides }},
        null, null, null, null, null, evidence, used_on_date, purpose, approved_by
    from uses
    {%- endfor %}

),

described as (

    select
        posted.usage_month, posted.levy_id, levies.levy_kind, levies.perimeter_type, levies.perimeter_id, posted.team_id,
        posted.use_id, posted.account, posted.gap_reason, levies.currency, posted.debit_amount, posted.credit_amount,
        posted.amount_high, levies.basis,
        {% for end in ends %}cast(posted.basis_kgco2e{{ end }} as decimal(38, 12)) as basis_kgco2e{{ end }}, {% endfor %}
        levies.price_per_tonne, levies.adopted_by, cast(posted.day_count as decimal(38, 0)) as day_count,
        cast(coalesce(restated.restated_day_count, 0) as decimal(38, 0)) as restated_day_count,
        posted.used_on_date, posted.purpose, posted.approved_by, posted.evidence
    from posted
    inner join levies on posted.levy_id = levies.levy_id
    left join restated on posted.usage_month = restated.usage_month

)

select * from described
