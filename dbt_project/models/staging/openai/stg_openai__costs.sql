-- One row per day x project x API key x line item.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('openai', 'costs') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        project_id,
        api_key_id,
        line_item,
        -- "<model>, <meter>"; a line item of another form names no model
        case
            when position(', ' in line_item) > 1
                then trim(substring(line_item, 1, position(', ' in line_item) - 1))
        end as model_reported,
        cast(amount_value as decimal(18, 9)) as cost_usd,
        quantity,
        quantity_unit
    from landed

)

select * from renamed
