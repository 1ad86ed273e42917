-- One row per day x service x SKU x account x kind of charge, with the cost that the organisation counts.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('focus', 'charges') }}),

renamed as (

    select
        cast(dt as date) as usage_date,
        provider,
        service_name,
        sku_id,
        coalesce(sub_account_id, billing_account_id) as sub_account_id,
        charge_class,
        workflow_tag,
        -- money alone has no model: with its factor, it would be use of no tokens. Its name stays in raw
        case when token_kind is not null then model end as model_reported,
        -- a charge that counts no tokens says nothing of them; one of a kind has none of the others
        {%- for kind in ['input', 'cached_input', 'output'] %}
        case when token_kind is not null then
            cast(case when token_kind = '{{ kind }}' then consumed_quantity else 0 end as decimal(18, 0))
        end as {{ kind }}_tokens,
        {%- endfor %}
        case when token_kind is not null then 'google:' || region_id end as cloud_region,
        case when counted_cost = 'billed' then billed_cost_usd else effective_cost_usd end as cost_usd
    from landed

)

select * from renamed
