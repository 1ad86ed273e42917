-- One row per day x model x workflow of calls whose energy is in a meter: what the best factor would have said of them.
{{ config(materialized='incremental', incremental_strategy='replace_days', on_schema_change='fail') }}

with

calls as (

    select * from {{ ref('int_footprint__hourly') }}
    where gap_reason = 'metered_elsewhere' and {{ in_days('usage_date') }}

),

factors as (select * from {{ ref('int_factor__chosen') }}),

estimated as (

    select
        calls.usage_date, calls.provider, calls.provider_canonical || '/' || calls.model_canonical as model_id,
        calls.workflow_id, factors.factor_id, factors.evidence_tier, calls.call_count,
        cast({{ calls_kwh('calls.call_count', 'calls', 'factors') }} as decimal(24, 9)) as estimated_kwh
    from calls
    left join factors
        on calls.usage_date = factors.usage_date
        and calls.provider = factors.provider
        and calls.provider_canonical = factors.provider_canonical
        and calls.model_canonical = factors.model_canonical
        and calls.serving_mode = factors.serving_mode

),

daily as (

    select
        usage_date, provider, model_id, workflow_id,
        -- calls by several factors are compared with none
        case when min(factor_id) = max(factor_id) then max(factor_id) end as factor_id,
        max(evidence_tier) as evidence_tier,
        cast(sum(call_count) as decimal(38, 0)) as call_count,
        case when count(estimated_kwh) = count(*) then cast(sum(estimated_kwh) as decimal(38, 9)) end as estimated_kwh
    from estimated
    group by usage_date, provider, model_id, workflow_id

)

select * from daily
