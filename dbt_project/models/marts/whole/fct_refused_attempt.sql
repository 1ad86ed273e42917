-- One row per attempt to raise, move, split or delete a ceiling, or to adopt one that may not be: all were refused.

with

attempts as (select * from {{ ref('stg_registry__refused_attempts') }}),

described as (

    select
        attempt_id, attempted_at_utc, path, statement, ceiling_id, perimeter_type, perimeter_id, metric, period_start,
        period_end, limit_quantity, field, rule, fix
    from attempts

)

select * from described
