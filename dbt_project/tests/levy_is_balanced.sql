-- Debits are credits in each month, levy and currency; what is posted is kg x price to half a hundredth; no gram twice.
{{ config(meta={'dagster': {'ref': {'name': 'fct_levy_posting'}}}) }}

with

postings as (select * from {{ ref('fct_levy_posting') }}),

carbon as (

    select
        cast(date_trunc('month', usage_date) as date) as usage_month,
        {{ kg_from_g('sum(location_gco2e)') }} as location_kgco2e, {{ kg_from_g('sum(market_gco2e)') }} as market_kgco2e
    from {{ ref('fct_organisation_daily') }}
    group by 1

),

unbalanced as (

    select usage_month, levy_id, 'debits are not credits' as broken
    from postings
    group by usage_month, levy_id, currency
    having coalesce(sum(debit_amount), 0) <> coalesce(sum(credit_amount), 0)

),

mispriced as (

    select usage_month, levy_id, 'not kg x price' as broken
    from postings
    where account in ('team_expense', 'perimeter_expense', 'shadow_cost')
    group by usage_month, levy_id, price_per_tonne
    having abs(sum(debit_amount) * 1000 - cast(sum(basis_kgco2e) as decimal(21, 12)) * price_per_tonne) > 5

),

twice as (

    select postings.usage_month, postings.levy_kind as levy_id, 'more carbon than there is' as broken
    from postings
    left join carbon on postings.usage_month = carbon.usage_month
    where postings.basis_kgco2e is not null
    group by postings.usage_month, postings.levy_kind, postings.basis, carbon.location_kgco2e, carbon.market_kgco2e
    having sum(postings.basis_kgco2e)
        > coalesce(case postings.basis when 'location_kgco2e' then carbon.location_kgco2e else carbon.market_kgco2e end, 0)

)

select * from unbalanced
union all
select * from mispriced
union all
select * from twice
