-- One row per day x product x model.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('github_copilot', 'credits') }}),

renamed as (

    select cast(dt as date) as usage_date, organisation, model as model_name, net_quantity as credit_count, net_amount_usd as cost_usd
    from landed

)

select * from renamed
