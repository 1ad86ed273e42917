-- One row per source table x day x delivery.

select
    source, table_name, day as usage_date, version, is_current, row_count, duplicate_count, byte_count, sha256,
    fetched_at_utc
from {{ source('landing', 'receipts') }}
