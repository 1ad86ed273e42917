-- One row per hour x product x model of an Enterprise plan, and what is in none of the groups that are told.
{{ config(materialized='ephemeral') }}

with

landed as (select * from {{ source('claude_enterprise', 'usage') }}),

renamed as (

    select
        cast(dt as date) as landed_date,
        cast(dt as date) as usage_date,
        date_trunc('hour', starting_at_utc) as usage_hour_utc,
        product as project_name,
        model as model_reported,
        plan,
        requests as call_count,
        uncached_input_tokens as input_tokens,
        cache_read_input_tokens as cached_input_tokens,
        cache_creation_ephemeral_5m_input_tokens + cache_creation_ephemeral_1h_input_tokens as cache_write_input_tokens,
        output_tokens
    from landed

),

-- searches and runs of code are requests without a token: no model ran
inference as (

    select *
    from renamed
    where input_tokens + cached_input_tokens + cache_write_input_tokens + output_tokens > 0

)

select * from inference
