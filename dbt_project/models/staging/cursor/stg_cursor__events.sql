-- One row per hour x model x kind of event.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('cursor', 'events') }}),

renamed as (

    select
        cast(dt as date) as usage_date,
        usage_hour_utc,
        -- a model's factor is for tokens: calls whose tokens nobody tells would look as if they had none
        case when is_token_based then model end as model_reported,
        event_count as call_count,
        input_tokens,
        cached_input_tokens,
        cache_write_input_tokens,
        output_tokens,
        {{ usd_from_cents('charged_cents') }} as cost_usd
    from landed

)

select * from renamed
