-- One row per source table x day x delivery x numeric column.

select source, table_name, day as usage_date, version, is_current, quantity, total as landed_total
from {{ source('landing', 'totals') }}
