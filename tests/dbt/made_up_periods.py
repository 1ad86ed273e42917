"""Made-up periods to be decomposed: models, workflows and teams that come and go, unknowns, zeros, and equal totals.

What comes of them belongs to the tests.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

from assets.decomposition import MACROS, render

TEXT, COUNT, KWH = pa.string(), pa.decimal128(38, 0), pa.decimal128(38, 9)
CELLS = {
    "period_id": pa.int32(), **dict.fromkeys(("measure", "workflow_id", "kind", "cell"), TEXT),
    **dict.fromkeys(("call_count", "gpu_seconds", "token_count", "known_call_count", "known_gpu_seconds",
                     "known_token_count"), COUNT),
    "it_kwh": KWH, "facility_kwh": KWH, "quantity": pa.decimal128(38, 12), "first_factor_id": TEXT,
    "last_factor_id": TEXT, "covered_call_count": COUNT, "unknown_high": KWH, "first_gap_reason": TEXT,
    "last_gap_reason": TEXT,
}
OWNERS = {"w0": ("t0", "u0"), "w1": ("t0", "u0"), "w2": ("t1", "u0"), "w3": ("t2", "u1"), "w4": ("t2", "u1")}
FIRST = date(2026, 1, 1)
MART = MACROS.parent / "models" / "marts" / "whole" / "fct_decomposition_monthly.sql"
LEDGER = {
    "usage_date": pa.date32(), **dict.fromkeys(("workflow_id", "provider", "model_id", "lifecycle_stage", "energy_line",
                                                "factor_id", "gap_reason"), TEXT),
    **dict.fromkeys(("call_count", "gpu_seconds", "input_tokens", "cached_input_tokens", "cache_write_input_tokens",
                     "output_tokens"), COUNT),
    **dict.fromkeys(("energy_kwh", "energy_kwh_high", "location_gco2e", "location_gco2e_high", "market_gco2e",
                     "market_gco2e_high"), KWH),
}
ASKED = """
    with
    {{ decomposition() }}
    select pair_id, {{ decomposition_columns('described') }} from described
"""


@dataclass(frozen=True)
class Period:
    """What was counted in a period: rows of `cells` without their period, outcomes by workflow, and its days."""

    cells: list[dict[str, Any]]
    outcomes: dict[str, tuple[str, int]]
    day_count: int


def kwh(value: float) -> Decimal:
    return Decimal(value).quantize(Decimal("1e-9"))


def cell(random: Random, workflow: str, kind: str, name: str, measure: str = "energy_kwh") -> dict[str, Any]:
    """One cell; its energy may be unknown, zero, or known for a part of its units."""
    calls = 0 if kind in ("jobs", "idle") else random.choice([0, 1, random.randrange(1, 10**6)])
    seconds = 0 if kind == "calls" else random.choice([0, random.randrange(1, 10**7)])
    tokens = calls * random.choice([0, random.randrange(1, 5000), random.randrange(1, 5000)])
    share = random.choice([1, 1, 1, 0.5, 0])
    it = kwh(10 ** random.uniform(-6, 4)) if random.random() < 0.95 else Decimal(0)
    facility = kwh(float(it) * random.choice([1, 1.2, 1.5]))
    quantity = facility if measure == "energy_kwh" else facility * random.choice([Decimal("0.3"), 1, 0])
    known = share > 0 and random.random() < 0.9
    return {
        "measure": measure, "workflow_id": workflow, "kind": kind, "cell": name, "call_count": calls,
        "gpu_seconds": seconds, "token_count": tokens, "known_call_count": int(calls * share) if known else 0,
        "known_gpu_seconds": int(seconds * share) if known else 0,
        "known_token_count": int(tokens * share) if known else 0, "it_kwh": it if known else None,
        "facility_kwh": facility if known else None, "quantity": quantity if known else None,
        "first_factor_id": random.choice(["f", "f", "f", "g"]), "last_factor_id": "g",
        "covered_call_count": int(calls * share), "unknown_high": None if known else kwh(5),
        "first_gap_reason": None if known else "no_factor", "last_gap_reason": None if known else "no_factor",
    }


def period(random: Random) -> Period:
    """A period of up to five workflows with up to five cells each."""
    places = [("calls", "a"), ("calls", "b"), ("calls", "c"), ("metered", ""), ("jobs", "training"), ("idle", "gpu"),
              ("runs", "r")]
    measure = "energy_kwh"
    cells = [cell(random, workflow, kind, name, random.choice([measure, measure, "location_kgco2e"]))
             for workflow in OWNERS for kind, name in places if random.random() < 0.5]
    outcomes = {workflow: (random.choice(["done", "done", "seen"]), random.randrange(1, 10**5))
                for workflow in OWNERS if random.random() < 0.7}
    return Period(cells, outcomes, random.randint(1, 31))


def offset(random: Random, before: Period) -> Period:
    """The same total: as many more calls as each takes less, in one cell after the other."""
    cells = []
    for each in before.cells:
        more = random.choice([1, 2, 3, 10])
        cells.append({**each, **{name: each[name] * more for name in (
            "call_count", "known_call_count", "token_count", "known_token_count", "covered_call_count")}})
    return Period(cells, before.outcomes, before.day_count)


def grown(random: Random, before: Period) -> Period:
    """Nearly the same: all a little more, and some cells more than that."""
    cells = []
    for each in before.cells:
        more = random.choice([Decimal(1), Decimal("1.000001"), Decimal("1.03")])
        cells.append({**each, **{name: None if each[name] is None else (each[name] * more).quantize(Decimal("1e-9"))
                                 for name in ("it_kwh", "facility_kwh")}})
        if cells[-1]["quantity"] is not None and each["quantity"]:
            cells[-1]["quantity"] = cells[-1]["facility_kwh"] * (each["quantity"] / each["facility_kwh"]).quantize(
                Decimal("0.1"))
    return Period(cells, before.outcomes, before.day_count)


class Tables:
    """Made-up tables in DuckDB's memory."""

    def __init__(self) -> None:
        self.duck = duckdb.connect()
        self.duck.execute("set threads = 2")

    def fill(self, name: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, pa.DataType]) -> None:
        arrays = [pa.array([row.get(column) for row in rows], kind) for column, kind in columns.items()]
        self.duck.register("made_up", pa.table(arrays, names=list(columns)))
        self.duck.execute(f"create or replace table {name} as select * from made_up")
        self.duck.unregister("made_up")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        answer = self.duck.execute(sql)
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


class Months(Tables):
    """The mart by itself, over made-up rows of the ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.sql = render(MART.read_text("utf-8"), ref=str)

    def run(self, ledger: Sequence[Mapping[str, Any]], days: Sequence[date],
            outcomes: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
        self.fill("fct_footprint_daily", ledger, LEDGER)
        self.fill("fct_organisation_daily", [{"usage_date": day} for day in days], {"usage_date": pa.date32()})
        self.fill("fct_outcome_daily", outcomes, {"usage_date": pa.date32(), "workflow_id": TEXT, "outcome_type": TEXT,
                                                  "outcome_count": COUNT})
        self.fill("dim_workflow", [{"workflow_id": w, "team_id": t} for w, (t, _) in OWNERS.items()],
                  dict.fromkeys(("workflow_id", "team_id"), TEXT))
        self.fill("dim_team", [{"team_id": t, "unit_id": u} for t, u in sorted(set(OWNERS.values()))],
                  dict.fromkeys(("team_id", "unit_id"), TEXT))
        return self.rows(self.sql)


class Decomposed(Tables):
    """The macros by themselves, run once over all pairs of all cases."""

    def __init__(self) -> None:
        super().__init__()
        self.sql = render(ASKED)

    def run(self, periods: Sequence[Period], pairs: Sequence[tuple[int, int]], order: Random | None = None
            ) -> list[dict[str, Any]]:
        """The rows of every pair; a pair names its periods by their place, and `pair_id` is its own place."""
        cells = [{**each, "period_id": n} for n, period in enumerate(periods) for each in period.cells]
        if order:
            order.shuffle(cells)
        self.fill("cells", cells, CELLS)
        self.fill("achieved", [
            {"period_id": n, "workflow_id": workflow, "outcome_type": kind, "outcome_count": count}
            for n, period in enumerate(periods) for workflow, (kind, count) in period.outcomes.items()
        ], {"period_id": pa.int32(), "workflow_id": TEXT, "outcome_type": TEXT, "outcome_count": COUNT})
        self.fill("workflows", [{"workflow_id": w, "team_id": t, "unit_id": u} for w, (t, u) in OWNERS.items()],
                    dict.fromkeys(("workflow_id", "team_id", "unit_id"), TEXT))
        self.fill("days", [{"period_id": n, "usage_date": FIRST + timedelta(days=day)}
                             for n, period in enumerate(periods) for day in range(period.day_count)],
                    {"period_id": pa.int32(), "usage_date": pa.date32()})
        self.fill("periods", [{"period_id": n, "first_date": FIRST, "last_date": FIRST, "is_whole": True}
                                for n in range(len(periods))],
                    {"period_id": pa.int32(), "first_date": pa.date32(), "last_date": pa.date32(),
                     "is_whole": pa.bool_()})
        self.fill("pairs", [{"pair_id": n, "chain": "asked", "base_id": a, "compared_id": b}
                              for n, (a, b) in enumerate(pairs)],
                    {"pair_id": pa.int32(), "chain": TEXT, "base_id": pa.int32(), "compared_id": pa.int32()})
        return self.rows(self.sql)
