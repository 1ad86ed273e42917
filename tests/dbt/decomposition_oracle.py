"""The effects of a decomposition once more: from the written rules, cell by cell, perimeter by perimeter, in 60 digits.

How cases are made belongs to made_up_periods, what must hold to the tests. Nothing of the SQL is used here.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, localcontext
from typing import Any

Cell = Mapping[str, Any]
DIGITS = Context(prec=60)
KEY = ("measure", "workflow_id", "kind", "cell")


def mean(a: Decimal, b: Decimal) -> Decimal:
    """L(a, b) of Ang: the logarithmic mean."""
    return a if a == b else (a - b) / (a.ln() - b.ln())


def of(part: Any, whole: Any) -> Decimal | None:
    """A share or an intensity; not defined where there is no whole."""
    return None if part is None or not whole else Decimal(part) / Decimal(whole)


def effects(base: Sequence[Cell], compared: Sequence[Cell], owners: Mapping[str, tuple[str, str]],
            outcomes: Sequence[Mapping[str, tuple[str, int]]], days: tuple[int, int]) -> dict[tuple, Decimal]:
    """Effects by (measure, perimeter type, perimeter id, part, factor), those that are not zero.

    Args:
        base: What was counted in the first period, one row per KEY.
        compared: The same of the second.
        owners: Team and unit of each workflow.
        outcomes: Of each period, kind and number of a workflow's outcomes.
        days: Days of each period.
    """
    with localcontext(DIGITS):
        found: dict[tuple, Decimal] = defaultdict(Decimal)
        chains: dict[tuple, list] = defaultdict(list)
        uncovered: dict[tuple, list[int]] = defaultdict(lambda: [0, 0])
        sides = [{tuple(row[name] for name in KEY): row for row in rows} for rows in (base, compared)]
        for key in sides[0].keys() | sides[1].keys():
            pair = [side.get(key) for side in sides]
            part = part_of(key[2], pair)
            seen = [look(cell, key[2], part) for cell in pair]
            states = [each["state"] for each in seen]
            change = (seen[1]["quantity"] or 0) - (seen[0]["quantity"] or 0)
            if "without_activity" in states:
                single = ("other", "without_activity")
            elif "known" not in states:
                for side in (0, 1):
                    uncovered[key[0], part, key[1]][side] += seen[side]["units"]
                continue
            elif "unknown" in states:
                single = (part, "coverage")
            else:
                chains[key[0], part].append((key[1], pair, seen))
                continue
            for kind, who in perimeters(key[1], owners):
                found[key[0], kind, who, *single] += change
        for (measure, part), cells in chains.items():
            more = {w: count for (m, p, w), count in uncovered.items() if (m, p) == (measure, part)}
            explain(found, measure, part, cells, more, owners, outcomes, days)
        return {key: value for key, value in found.items() if value}


def part_of(kind: str, pair: Sequence[Cell | None]) -> str:
    """Calls of own hardware are its activity where each period with energy has some."""
    if kind != "metered":
        return {"calls": "requests", "jobs": "training", "idle": "idle", "runs": "runs"}[kind]
    told = all(cell is None or cell["quantity"] is None or cell["call_count"] > 0 for cell in pair)
    return "requests" if told else "gpu_time"


def look(cell: Cell | None, kind: str, part: str) -> dict[str, Any]:
    """A cell as one period has it: units, the known share of them, tokens of each, and what it took."""
    if cell is None:
        return {"units": 0, "coverage": None, "tokens": None, "quantity": None, "state": "absent"}
    units = cell["call_count"] if part in ("requests", "runs") else cell["gpu_seconds"]
    if kind in ("calls", "runs"):
        coverage = of(cell["known_call_count"], cell["call_count"])
        tokens = of(cell["known_token_count"], cell["known_call_count"])
    else:
        coverage = of(cell["known_gpu_seconds"], cell["gpu_seconds"])
        coverage = Decimal(1) if coverage is None else coverage
        tokens = of(cell["token_count"], cell["call_count"]) if part == "requests" else None
    quantity = cell["quantity"]
    if units and coverage and quantity is not None:
        state = "known"
    elif quantity:
        state = "without_activity"
    else:
        state = "unknown" if units else "absent"
    return {"units": units, "coverage": coverage, "tokens": tokens, "quantity": quantity, "state": state}


def perimeters(workflow: str, owners: Mapping[str, tuple[str, str]]) -> list[tuple[str, str]]:
    team, unit = owners[workflow]
    return [("organisation", "organisation"), ("unit", unit), ("team", team), ("workflow", workflow)]


def explain(found: dict[tuple, Decimal], measure: str, part: str, cells: Sequence[tuple], uncovered: Mapping,
            owners: Mapping, outcomes: Sequence[Mapping], days: tuple[int, int]) -> None:
    """Adds the effects of the workflows of one chain, looked at from every perimeter by itself."""
    known = [{workflow: 0 for workflow, _, _ in cells} for _ in (0, 1)]
    for workflow, _, seen in cells:
        for side in (0, 1):
            known[side][workflow] += seen[side]["units"]
    units = [{w: count + uncovered.get(w, (0, 0))[side] for w, count in known[side].items()} for side in (0, 1)]
    activity = [{w: Decimal(count) for w, count in units[side].items()} for side in (0, 1)]
    for workflow in units[0]:
        made = [outcomes[side].get(workflow) for side in (0, 1)]
        if part == "requests" and all(made) and made[0][0] == made[1][0] and units[0][workflow] and units[1][workflow]:
            usual = (Decimal(units[0][workflow]) / made[0][1] * units[1][workflow] / made[1][1]).sqrt()
            for side in (0, 1):
                activity[side][workflow] = made[side][1] * usual
    inside: list[dict[tuple, Decimal]] = [defaultdict(Decimal), defaultdict(Decimal)]
    for side in (0, 1):
        for workflow, quantity in activity[side].items():
            for place in perimeters(workflow, owners):
                inside[side][place] += quantity
    for workflow in units[0]:
        places = perimeters(workflow, owners)
        own = [(pair, seen) for name, pair, seen in cells if name == workflow]
        ends = [sum((seen[side]["quantity"] or Decimal(0) for _, seen in own), Decimal(0)) for side in (0, 1)]
        for depth, place in enumerate(places):
            factors: list[dict[str, Decimal | None]] = []
            for side in (0, 1):
                here = inside[side][place]
                chain: dict[str, Decimal | None] = {"days": Decimal(days[side]), "activity": here / days[side]}
                team, flow = inside[side][places[2]], inside[side][places[3]]
                if depth < 2:
                    chain["team_mix"] = of(team, here)
                if depth < 3:
                    chain["workflow_mix"] = of(flow, team)
                chain["calls_per_outcome"] = of(units[side][workflow], flow)
                chain["coverage"] = of(known[side][workflow], units[side][workflow])
                # what a known unit takes; where nothing is known or used, the models below say why
                chain["unit"] = of(ends[side], known[side][workflow])
                factors.append(chain)
            for factor, effect in limits(ends, factors).items():
                if factor != "unit":
                    found[measure, *place, part, factor] += effect
                    continue
                for below, share in split(own, part, known, workflow, effect).items():
                    found[measure, *place, part, below] += share


def split(own: Sequence[tuple], part: str, known: Sequence[Mapping], workflow: str, effect: Decimal
          ) -> dict[str, Decimal]:
    """The effect of what a unit takes, over the models: in proportion to their parts of the change of the quotient."""
    parts: dict[str, Decimal] = defaultdict(Decimal)
    for pair, seen in own:
        lower = [within(seen, pair, part, workflow, known, side) for side in (0, 1)]
        shares = [(seen[side]["quantity"] or Decimal(0)) / known[side][workflow] for side in (0, 1)]
        for side in (0, 1):
            product = Decimal(1)
            for value in lower[side].values():
                product *= 1 if value is None else value
            assert not shares[side] or abs(product / shares[side] - 1) < Decimal("1e-50"), "the factors are the whole"
        for factor, share in limits(shares, lower).items():
            parts[factor] += share
    change = sum(parts.values())
    if abs(change) < Decimal("1e-45"):  # the quotient has not changed: its mean for L(I, I), and units x I = the whole
        whole = sum((seen[0]["quantity"] or Decimal(0) for _, seen in own), Decimal(0))
        after = sum((seen[1]["quantity"] or Decimal(0) for _, seen in own), Decimal(0))
        return {name: share * mean(after, whole) / (whole / known[0][workflow]) for name, share in parts.items()} \
            if whole and after else {}
    return {name: share * effect / change for name, share in parts.items()}


def within(seen: Sequence[dict], pair: Sequence[Cell | None], part: str, workflow: str, known: Sequence[Mapping],
           side: int) -> dict[str, Decimal | None]:
    """The factors below a workflow, under the names that they are published with."""
    here = seen[side]
    cell = pair[side] if here["state"] == "known" else None  # what was not there has no intensities
    is_by_token = any(each["tokens"] is not None for each in seen) and all(
        each["tokens"] is None or each["tokens"] > 0 for each in seen)
    names = [each and (each["first_factor_id"], each["last_factor_id"]) for each in pair]
    anew = bool(all(pair) and pair[0]["kind"] == "calls" and any(
        a and b and a != b for a, b in zip(*names, strict=True)))
    if anew:
        intensity = "estimation"
    elif part == "requests":
        intensity = "energy_per_token" if is_by_token else "energy_per_call"
    elif part == "runs" and not is_by_token:
        intensity = "energy_per_run"
    else:
        intensity = "energy_per_gpu_second"
    chain = {
        "model_mix": of(here["units"], known[side][workflow]),
        "coverage": here["coverage"] if here["units"] else None,
    }
    used = here["units"] * (here["coverage"] or 0)
    if is_by_token:
        tokens = "gpu_time_per_run" if part == "runs" else "tokens_per_call"
        chain[tokens] = here["tokens"]
        used *= here["tokens"] or 0
    return {**chain, intensity: of(cell["it_kwh"], used) if cell and used else None,
            "overhead": of(cell["facility_kwh"], cell["it_kwh"]) if cell else None,
            "grid_intensity": of(cell["quantity"], cell["facility_kwh"]) if cell else None}


def limits(ends: Sequence[Decimal], factors: Sequence[Mapping[str, Decimal | None]]) -> dict[str, Decimal]:
    """The terms of a cell: logarithmic, or at a zero their limits; an undefined factor is as on the other side."""
    names = factors[0].keys() | factors[1].keys()
    both = {name: (factors[0].get(name), factors[1].get(name)) for name in names}
    defined = {name: pair for name, pair in both.items() if None not in pair}
    if not any(ends):
        return {}
    if all(ends):
        weight = mean(ends[1], ends[0])
        return {name: weight * (after / before).ln() for name, (before, after) in defined.items()}
    zero = [name for name, pair in defined.items() if 0 in pair]
    return {name: (ends[1] - ends[0]) / len(zero) for name in zero}
