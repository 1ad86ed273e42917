"""Rebound: how much of an efficiency gain growing use has taken back, at four levels of evidence.

Reading marts and writing results do not belong here (dbt_project/ does both), nor finding or declaring changes.
Everything is a function of its arguments: no clock, no files, and draws with a fixed seed.
"""
