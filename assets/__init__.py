"""Tells Dagster what exists and when it is made; the only room that imports it.

What a record is, whether it may pass and what it adds up to is decided in the other rooms.
"""
