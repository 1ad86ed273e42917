-- One row per team.

with

landed as (select * from {{ source('registry', 'teams') }}),

renamed as (

    select team_id, team_name, unit_id, unit_name, country, valid_from, valid_to
    from landed

)

select * from renamed
