"""What a page asks of the published build: each question once, each answer small.

What does not belong here: words, colours, widgets. Energies come in kWh, carbon in kgCO2e, None where not known.
"""
