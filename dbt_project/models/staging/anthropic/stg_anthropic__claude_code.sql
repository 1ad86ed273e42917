-- One row per day x kind of subscription x model: Claude Code beside the messages of API keys.

{{ config(materialized="ephemeral") }}

with

landed as (select * from {{ source('anthropic', 'claude_code') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        model as model_reported,
        'claude_code' as project_name,
        -- an organisation has one plan: where none is told, it is taken to be the one that has a report of its own
        coalesce(subscription_type, 'enterprise') = 'enterprise' as is_enterprise,
        input_tokens,
        cache_read_input_tokens as cached_input_tokens,
        cache_creation_input_tokens as cache_write_input_tokens,
        output_tokens
    from landed
    where customer_type = 'subscription'

)

select * from renamed
