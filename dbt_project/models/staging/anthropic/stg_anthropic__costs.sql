-- One row per day x workspace x description, with what Anthropic reads out of the description.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('anthropic', 'costs') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        workspace_id,
        description as line_item,
        cost_type,
        model as model_reported,
        token_type,
        service_tier,
        {{ usd_from_cents('amount_cents') }} as cost_usd
    from landed

)

select * from renamed
