-- One row per day x team; the teams `orphan` and `unattributed` hold what no rule knows.

with

footprint as (select * from {{ ref('fct_footprint_daily') }}),

teams as (select * from {{ ref('dim_team') }}),

daily as (

    select
        footprint.usage_date, footprint.team_id, teams.unit_id,
        {{ summed_quantities('footprint.') }}
    from footprint
    left join teams on footprint.team_id = teams.team_id
    group by footprint.usage_date, footprint.team_id, teams.unit_id

)

select * from daily
