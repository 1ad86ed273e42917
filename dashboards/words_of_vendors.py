"""Sentences about vendors: what was asked, what an answer is worth.

What does not belong here: HTML and SQL; texts are plain.
"""

import pandas

from pipelines import units

# Question: what heads its column, and the question itself.
QUESTIONS = {
    "workload_behind_claim": ("Workload", "Which workload stands behind the claim of efficiency?"),
    "baseline": ("Baseline", "Against which baseline is it measured?"),
    "reporting_by_task": ("By task", "Is use reported by task, team and feature?"),
    "hard_budgets": ("Budgets", "Can a workflow be given a budget that stops it?"),
    "small_model_routing": ("Small models", "Can work be routed to smaller models?"),
    "background_off": ("Background", "Can background work be switched off?"),
}


def finding(vendors: pandas.DataFrame) -> str:
    """Say how many of those asked are no more than a cheaper meter, and how many were not asked."""
    asked = vendors[vendors["is_registered"]]
    rest = units.counted(len(vendors) - len(asked), "other in usage was", "others in usage were")
    rest = f"; {rest} not asked" if len(vendors) > len(asked) else ""
    if asked.empty:
        return f"No vendor has been asked{rest}"
    meters = asked[asked["verdict"] == "a cheaper meter"]
    whole = asked[asked["verdict"] == "answers all six"]
    are, answer = units.noun(len(meters), "is", "are"), units.noun(len(whole), "answers", "answer")
    return (
        f"{len(meters)} of {units.counted(len(asked), 'vendor')} asked {are} a cheaper meter, "
        f"{len(whole)} {answer} all six questions{rest}"
    )
