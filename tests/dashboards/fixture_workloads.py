"""Made-up rows for the marts behind the page Inventory; their tables have the columns of the contracts.

What does not belong here: assertions, and the ledger itself, which stands in `fixture_marts`.
"""

from datetime import date, timedelta

import fixture_evidence

MARTS = ["fct_workload_inventory", "fct_workload_lever", "fct_governance", "fct_governance_task"]


def fill(connection, workflows, first_day: date, days: int) -> None:
    """Create the tables as their contracts say; with days, also fill them.

    A workflow's month is 30 of its days; it took 0.5 to 4 times the energy of its calls. Acme's energy is unknown.
    """
    as_of = first_day + timedelta(days=days - 1)
    rows = {name: [] for name in MARTS}
    if days:
        rows["fct_workload_inventory"] = [*(_row(flow, as_of) for flow in workflows), _orphan(as_of)]
        rows["fct_workload_lever"] = list(_levers(rows["fct_workload_inventory"]))
        rows["fct_governance"] = list(_accounts(rows["fct_workload_inventory"]))
        rows["fct_governance_task"] = list(_tasks(rows["fct_workload_inventory"], as_of))
    for name in MARTS:
        types = fixture_evidence.contract(name)
        connection.execute(f"create table {name} ({', '.join(f'{key} {kind}' for key, kind in types.items())})")
        fixture_evidence.insert(connection, name, rows[name])


def _energy(kwh, name="energy_kwh"):
    low, high = (None, 400) if kwh is None else (kwh / 2, kwh * 4)
    return {f"{name}_low": low, name: kwh, f"{name}_high": high}


def _row(flow, as_of):
    flow_id, name, team, owner, job, usefulness, calls, wh, retries, outcome = flow
    month = calls * 30
    nightly = flow_id in ("nightly-index", "search-reviews")
    reasons = None if outcome else "background work without an outcome" if nightly else "no outcome"
    return {
        "workflow_id": flow_id, "workflow_name": name, "team_id": team, "owner": owner, "job_description": job,
        "status": "active", "providers": "openai", "model_ids": "openai/gpt-4o-mini", "usefulness_class": usefulness,
        "latency_tier": "overnight" if nightly else "seconds", "cacheable": nightly, "small_model_fit": "untested",
        "as_of_date": as_of, "day_count": 30, "call_count": month, "retry_count": int(month * float(retries)),
        "retry_ratio": float(retries), **_energy(None if wh is None else month * float(wh) / 1000),
        "coverage_ratio": 0 if wh is None else 1, "outcome_types": outcome, "outcome_type_count": int(bool(outcome)),
        "outcome_count": month // 2 if outcome else None, "call_trend_ratio": 1.25, "energy_trend_ratio": None,
        "expected_monthly_calls": calls * 22, "excess_call_count": month - calls * 22, "excess_ratio": 8 / 22,
        "review_due_date": date(2026, 9, 30), "is_review_overdue": False, "is_retire_candidate": outcome is None,
        "retire_reasons": reasons,
    }  # fmt: skip


def _orphan(as_of):
    return {
        "workflow_id": "orphan", "workflow_name": "Orphaned", "team_id": "orphan", "status": "undeclared",
        "as_of_date": as_of, "day_count": 30, "call_count": 27000, **_energy(21.6), "coverage_ratio": 1,
        "outcome_type_count": 0, "is_retire_candidate": True, "retire_reasons": "no owner; no outcome",
    }  # fmt: skip


def _levers(flows):
    for flow in flows:
        shared = {name: flow[name] for name in ("workflow_id", "team_id", "as_of_date", "day_count", "call_count")}
        shared |= {f"base_{name}": flow[name] for name in ("energy_kwh_low", "energy_kwh", "energy_kwh_high")}
        shared["condition"] = "no call is repeated"
        if flow["energy_kwh"] is None or flow["workflow_id"] == "orphan":
            reason = "no_energy" if flow["energy_kwh"] is None else "retries_not_told"
            yield {**shared, "lever": "cap_retries", "finding": "unknown", "gap_reason": reason,
                   "saved_energy_kwh_high": flow["energy_kwh_high"]}  # fmt: skip
        else:
            told = f"{flow['retry_count']} of the {flow['call_count']} calls whose source tells are repeats"
            yield {**shared, "lever": "cap_retries", "finding": "known", "coverage_ratio": 1,
                   **_energy(flow["energy_kwh"] * flow["retry_ratio"], "saved_energy_kwh"),
                   "evidence": told}  # fmt: skip
        retire = flow["is_retire_candidate"] and flow["energy_kwh"] is not None
        yield {**shared, "condition": "the workload is switched off", "lever": "retire",
               "finding": "known" if retire else "does not apply",
               "gap_reason": None if retire else "no_reason_to_retire", "evidence": flow["retire_reasons"],
               **(_energy(flow["energy_kwh"], "saved_energy_kwh") if retire else {})}  # fmt: skip


def _accounts(flows):
    for flow in flows:
        shared = {name: flow[name] for name in ("team_id", "as_of_date", "call_count", "energy_kwh_low", "energy_kwh",
                                                "energy_kwh_high")}  # fmt: skip
        state = "orphan" if flow["workflow_id"] == "orphan" else "owned"
        yield {**shared, "account": "owner", "state": state, "item_count": 1}


def _tasks(flows, as_of):
    for flow in flows:
        names = ("team_id", "workflow_id", "workflow_name", "owner", "as_of_date", "call_count", "energy_kwh_low")
        shared = {name: flow.get(name) for name in (*names, "energy_kwh", "energy_kwh_high")}
        if flow["workflow_id"] == "orphan":
            yield {**shared, "workflow_name": None, "task": "claim_key", "since_date": as_of - timedelta(days=89),
                   "waiting_days_count": 89, "detail": "openai, gpt-4o-mini"}  # fmt: skip
        elif flow["is_retire_candidate"]:
            yield {**shared, "task": "count_outcomes", "since_date": None, "detail": flow["retire_reasons"]}
