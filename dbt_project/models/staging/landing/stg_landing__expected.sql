-- One row per daily table of a source that is switched on.

select source, table_name from {{ source('landing', 'expected') }}
