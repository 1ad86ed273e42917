"""The sandbox organisation: a made-up company whose AI use is served in the vendors' own wire contracts.

Nothing here is a measurement: names, volumes and prices are invented; no pipeline module imports this package.
"""
