"""What another factor set would change, on activity small enough to reckon by hand."""

from decimal import Decimal

import duckdb
import pytest

from pipelines.factors.diff import COUNTS, comparison

KINDS = (*COUNTS, "output_token")


@pytest.fixture
def build():
    """A build with three models and the sets a and b: m has another factor, n is known to b, o is measured in b."""
    duck = duckdb.connect()
    counts = ", ".join(f"{name} decimal(38,0)" for name in (*COUNTS.values(), "output_tokens"))
    duck.execute("create table fct_footprint_daily (model_id varchar, serving_mode varchar, energy_line varchar, "
                 f"gap_reason varchar, gpu_seconds decimal(38,0), {counts})")
    kinds = ", ".join(f"kwh_per_{kind} decimal(18,18)" for kind in KINDS)
    duck.execute("create table dim_factor (factor_set varchar, provider varchar, model_name varchar, "
                 "gpu_model varchar, method varchar, evidence_tier integer, quarantine_reason varchar, "
                 f"batch_output_ratio decimal(7,6), {kinds})")

    def used(model, tokens, mode="", gap=None, images=None, line="direct"):
        row = {"model_id": model, "serving_mode": mode, "energy_line": line, "gap_reason": gap, "gpu_seconds": 0,
               "call_count": 10, "output_tokens": tokens, "image_count": images}
        duck.execute(f"insert into fct_footprint_daily ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                     list(row.values()))

    def factor(name, model, output, request="0", method="parametric", tier=4, quarantine=None, gpu=None):
        row = {"factor_set": name, "provider": "p", "model_name": model, "gpu_model": gpu, "method": method,
               "evidence_tier": tier, "quarantine_reason": quarantine, "batch_output_ratio": "0.5",
               "kwh_per_output_token": output, "kwh_per_request": request}
        duck.execute(f"insert into dim_factor ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                     list(row.values()))

    used("p/m", 1000)
    used("p/m", 2000, mode="batch")
    used("p/m", 500, gap="metered_elsewhere")
    used("p/n", 100)
    used("p/o", 100)
    used("p/o", 100, line="overhead")
    factor("a", "m", "0.002", request="0.01")
    factor("a", "o", "0.01")
    factor("a", "n", "0.9", quarantine="dearer than its price")
    factor("b", "m", "0.001", request="0.01")
    factor("b", "n", "0.03")
    factor("b", "o", "0.004", method="benchmark", tier=3)
    factor("b", "o", "0.5", tier=3, gpu="H100")
    return duck


def test_the_change_is_told_apart_by_what_made_it(build):
    """m: 20 calls x 0.01 + (1000 + 2000 x 0.5) x 0.002 = 0.2 + 4 = 4.2 kWh; with 0.001 it is 2.2: the factor, -2.

    n: 100 x 0.03 = 3 kWh that only b knows: activity, +3. o: 100 x 0.01 = 1 kWh, measured 0.4: the method, -0.6.
    """
    rows = {row[0]: row[1:] for row in build.execute(comparison("a", "b")).fetchall()}
    unknown = None
    assert rows == {
        "p/n": (unknown, Decimal(3), Decimal(3), Decimal(3), 0, 0),
        "p/m": (Decimal("4.2"), Decimal("2.2"), Decimal(-2), 0, Decimal(-2), 0),
        "p/o": (Decimal(1), Decimal("0.4"), Decimal("-0.6"), 0, 0, Decimal("-0.6")),
        "all models": (Decimal("5.2"), Decimal("5.6"), Decimal("0.4"), Decimal(3), Decimal(-2), Decimal("-0.6")),
    }


def test_a_set_compared_with_itself_changes_nothing(build):
    assert {row[3] for row in build.execute(comparison("b", "b")).fetchall()} == {0}
