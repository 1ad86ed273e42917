"""Carries a record: sources, HTTP, landing, registry, published snapshot and the sandbox organisation.

No Dagster, no Streamlit, no Great Expectations in here: plain Python that a test can call.
"""
