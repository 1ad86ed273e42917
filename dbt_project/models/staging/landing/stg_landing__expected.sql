-- One row per daily table of a source that is switched on.
{{ config(materialized='ephemeral') }}

select source, table_name from {{ source('landing', 'expected') }}
