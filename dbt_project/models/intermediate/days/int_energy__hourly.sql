-- One row per attributed activity x energy line: its energy as estimated from a factor or read from a meter, or the reason why not.
{{ config(materialized='ephemeral') }}

with

energy as (

    select * from {{ ref('int_energy__estimated') }}
    union all
    select * from {{ ref('int_energy__metered') }}

)

select * from energy
