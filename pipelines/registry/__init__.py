"""The registry: what an organisation declares about its teams, workflows, attribution and ceilings.

What vendors and meters report belongs in `pipelines.sources`.
"""
