-- One row per day x workflow; the workflows `orphan` and `unattributed` hold what no rule knows.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

daily as (

    select
        usage_date, workflow_id, team_id,
        {{ summed_quantities() }}
    from footprint
    group by usage_date, workflow_id, team_id

)

select * from daily
