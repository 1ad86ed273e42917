-- One row per hour x API key x workspace x model x service tier x context window x place of inference.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('anthropic', 'messages') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        date_trunc('hour', starting_at_utc) as usage_hour_utc,
        api_key_id,
        workspace_id,
        model as model_reported,
        service_tier,
        context_window,
        inference_geo,
        -- the four kinds are disjoint as they come: nothing has to be taken from anything
        uncached_input_tokens as input_tokens,
        cache_read_input_tokens as cached_input_tokens,
        cache_creation_ephemeral_5m_input_tokens + cache_creation_ephemeral_1h_input_tokens as cache_write_input_tokens,
        output_tokens
    from landed

)

select * from renamed
