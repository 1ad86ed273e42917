-- One row per attributed activity x energy line: its energy as estimated from a factor, read from a meter or declared, or the reason why not.
{{ config(materialized='ephemeral') }}

with

energy as (

    select * from {{ ref('int_energy__estimated') }}
    union all
    select * from {{ ref('int_energy__metered') }}
    union all
    select * from {{ ref('int_energy__declared') }}

)

select * from energy
