-- One row per day x product x model of an Enterprise plan, and what is in none of the groups that are told.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('claude_enterprise', 'costs') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        product as project_name,
        model as model_reported,
        {{ usd_from_cents('amount_cents') }} as cost_usd
    from landed

)

select * from renamed
