"""Sentences about what stops next, what was adopted, and what was tried and refused.

What does not belong here: HTML and SQL; texts are plain. Where a ceiling stands is said in `words`.
"""

from typing import Any

import pandas

from pipelines import units

_DONE = {
    "slow": "is slowed",
    "batch": "goes to batches",
    "smaller_model": "goes to a smaller model",
    "stop": "stops",
}
ACTIONS = tuple(_DONE)  # from the mildest
OVERTAKEN = "overtaken by a stricter step"
_WAYS = {"command": "by command", "import": "by a file that was imported", "sql": "by SQL, in the database itself"}


def rule(row: Any) -> str:
    """Which rule it is, and of whose work, if not of all."""
    if units.is_unknown(row.gate_rule_id):
        return "the limit itself"
    if row.rule_perimeter_type == "organisation":
        return f"rule {row.gate_rule_id}"
    return f"rule {row.gate_rule_id} for {row.rule_perimeter_type.replace('_', ' ')} {row.rule_perimeter_id}"


def step(row: Any) -> str:
    """What happens to which work, such as: Comfort work is slowed."""
    return f"{row.usefulness_class.capitalize()} work {_DONE.get(row.action, row.action)}"


def strictest(steps: pandas.DataFrame) -> dict[tuple[str, str], str]:
    """The strictest action in effect, by ceiling and class of work."""
    found: dict[tuple[str, str], str] = {}
    for row in steps[steps["is_reached"].astype(bool)].itertuples():
        known = found.get((row.ceiling_id, row.usefulness_class), row.action)
        found[row.ceiling_id, row.usefulness_class] = max(known, row.action, key=ACTIONS.index)
    return found


def state(row: Any, in_effect: dict[tuple[str, str], str]) -> str:
    """How sure it is that a step is reached, and whether a stricter one has taken its place."""
    if row.is_reached:
        return "in effect" if in_effect[row.ceiling_id, row.usefulness_class] == row.action else OVERTAKEN
    if not units.is_unknown(row.begins_date):
        return "expected"
    return "not expected" if units.is_unknown(row.begins_date_low) else "possible"


def next_finding(steps: pandas.DataFrame) -> str:
    """Say what is in effect, and what comes first of the rest.

    Args:
        steps: what is in effect, then the rest in order of its date; with `what` and `name`.
    """
    reached = steps["is_reached"].astype(bool)
    now, ahead = steps[reached], steps[~reached & steps["begins_date"].notna()]
    said = [f"{units.counted(len(now), 'step is', 'steps are')} in effect"] if len(now) else []
    if len(ahead):
        first = ahead.iloc[0]
        what = first["what"][0].lower() + first["what"][1:]
        said.append(f"next, {what} on {units.day(first['begins_date'])} ({first['name']})")
    else:
        said.append("nothing else is expected to stop in this period")
    text = "; ".join(said)
    return text[0].upper() + text[1:]


def some(names: Any, most: int = 3) -> str | None:
    """The first few of many names."""
    if units.is_unknown(names):
        return None
    first = names.split(", ")
    return names if len(first) <= most else f"{', '.join(first[:most])} and {len(first) - most} more"


def at_the_gate(row: Any, steps: pandas.DataFrame) -> str:
    """What the gate does to a workflow now, or what comes first.

    Args:
        row: a workflow's row of the inventory.
        steps: those of the ceilings around its team, what is in effect first, then in order of their date.
    """
    if row.usefulness_class == "essential":
        return "essential: always passes"
    of_class = "experimental" if units.is_unknown(row.usefulness_class) else row.usefulness_class
    other = (steps["perimeter_type"] == "workflow") & (steps["perimeter_id"] != row.workflow_id)
    mine = steps[(steps["usefulness_class"] == of_class) & ~other]
    now = mine[mine["is_reached"].astype(bool)]
    if len(now):
        worst = max(now.itertuples(), key=lambda one: ACTIONS.index(one.action))
        return f"{_DONE[worst.action]} since {units.day(worst.begins_date)}: {worst.name}"
    ahead = mine[mine["begins_date"].notna()]
    if ahead.empty:
        return "nothing is expected in this period"
    first = ahead.iloc[0]
    return f"{_DONE[first['action']]} on {units.day(first['begins_date'])}: {first['name']}"


def tried(row: Any) -> str:
    """What somebody tried, such as: limit of 9,000 kWh."""
    if row.statement == "delete":
        return "to delete it"
    try:
        limit = f"{units.number(row.limit_quantity)} {units.metric_unit(row.metric or '')}".strip()
    except ArithmeticError:  # not a number
        limit = str(row.limit_quantity)
    return f"{'to change it to' if row.statement == 'update' else 'to adopt'} a limit of {limit}"


def way(row: Any) -> str:
    """By which way it was tried."""
    return _WAYS.get(row.path, row.path)
