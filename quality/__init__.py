"""Says whether records may pass; decides nothing about where they go.

No Dagster in here, and no SQL but what Great Expectations writes.
"""
