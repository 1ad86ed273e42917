-- One row per day x surface x feature, and rows of their own for what seats and credits cost.
{{ config(materialized='ephemeral') }}

with

used as (select * from {{ ref('stg_github_copilot__activity') }} where call_count > 0),

seats as (select * from {{ ref('stg_github_copilot__seats') }} where cost_usd is not null),

credits as (select * from {{ ref('stg_github_copilot__credits') }}),

paid as (

    select usage_date, 'github_copilot' as provider, cast(null as varchar) as model_reported, organisation as project_id,
        cast(null as varchar) as workflow_tag, cost_usd
    from seats

    union all

    select usage_date, 'github_copilot', model_name, organisation, null, cost_usd
    from credits

),

spent as ({{ spend_activity('paid', 'github_copilot') }}),

done as (

    select
        {#- a model's factor is for tokens: calls whose tokens nobody tells would look as if they had none #}
        {{ activity_columns('github_copilot',
            named=['call_count', 'input_tokens', 'output_tokens'], zero=['cost_usd'],
            usage_hour_utc='cast(usage_date as timestamp)', provider="'github_copilot'", project_id='organisation',
            call_purpose="'interactive'") }}
    from used

),

activity as (

    select * from spent
    union all
    select * from done

)

select * from activity
