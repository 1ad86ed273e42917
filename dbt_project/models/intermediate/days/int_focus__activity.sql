-- One row per day x provider x account x tag, from what clouds charge for AI; a charge tells neither calls nor tokens.
{{ config(materialized='ephemeral') }}

with

charges as (select * from {{ ref('stg_focus__charges') }}),

named as (

    select usage_date, provider, cast(null as varchar) as model_reported, sub_account_id as project_id, workflow_tag,
        cost_usd
    from charges

),

activity as ({{ spend_activity('named', 'focus') }})

select * from activity
