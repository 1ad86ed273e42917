-- One row per team, and one each for what nobody owns.

with

teams as (select * from {{ ref('stg_registry__teams') }}),

named as (

    select team_id, team_name, unit_id, unit_name, country from teams
    union all
    select 'orphan', 'Orphaned: a key or tag that no rule knows', null, null, null
    union all
    select 'unattributed', 'Unattributed: no key, tag or pod at all', null, null, null

)

select * from named
