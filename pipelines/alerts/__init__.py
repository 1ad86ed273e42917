"""Alerts: what has changed of the ceilings since a channel was last told, and telling it once.

What does not belong here: how a status comes about (dbt_project/), and when somebody looks (assets/).
"""
