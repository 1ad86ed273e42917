-- One row per logged call that is a step of an agent's run: whose it is, what it does and the energy that it takes.
{{ config(materialized='ephemeral') }}

{%- set names = ['provider', 'model_reported', 'serving_mode', 'api_key_id', 'project_id', 'workflow_tag'] %}

with

calls as (

    select *, {{ nano_usd_from_usd('cost_usd') }} as cost_nano_usd
    from {{ ref('stg_call_log__calls') }}
    where run_id is not null and {{ in_days('usage_date') }}

),

kinds as (select * from {{ ref('int_request__kinds') }} where {{ in_days('usage_date') }}),

counted as (

    select
        usage_date, run_id, request_id, started_at_utc, duration_seconds
        {%- for name in names %}, coalesce({{ name }}, '') as {{ name }}{% endfor %}
        {%- for count in request_counts().values() %}, cast({{ count }} as decimal(18, 0)) as {{ count }}{% endfor %},
        -- a repeated attempt is a retry, whatever the agent meant by it
        case
            when attempt > 1 then 'retry'
            when step_kind in ({{ "'" ~ step_kinds() | join("', '") ~ "'" }}) then step_kind
            else 'other'
        end as step_kind
    from calls

),

steps as (

    select
        counted.usage_date, counted.run_id, counted.request_id, counted.started_at_utc, counted.duration_seconds,
        counted.step_kind, kinds.workflow_id, kinds.team_id,
        cast({{ calls_kwh('1', 'counted', 'kinds') }} as decimal(24, 9)) as energy_kwh
    from counted
    inner join kinds
        on counted.usage_date = kinds.usage_date
        {%- for name in names %}
        and counted.{{ name }} = kinds.{{ name }}
        {%- endfor %}

)

select * from steps
