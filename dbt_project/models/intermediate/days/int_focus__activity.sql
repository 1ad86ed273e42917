-- One row per day x provider x account x tag x model x region, from what clouds charge for AI; few charges tell tokens.
{{ config(materialized='ephemeral') }}

with

charges as (select * from {{ ref('stg_focus__charges') }}),

named as (

    select usage_date, provider, model_reported, sub_account_id as project_id, workflow_tag, cloud_region, cost_usd,
        input_tokens, cached_input_tokens, output_tokens
    from charges

),

activity as ({{ spend_activity('named', 'focus', 'cloud_region', ['input_tokens', 'cached_input_tokens', 'output_tokens']) }})

select * from activity
