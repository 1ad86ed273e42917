"""Real requests end to end: the Azure LLM inference traces 2023 as call logs, to the token in the published marts.

The traces carry no team, key or model name: those of the settings below are made up.
"""

import csv
import shutil
from pathlib import Path

import pytest
from support import run_jevons

from pipelines import snapshot

SETTINGS = """
[organisation]
name = "Azure traces, made-up organisation"

[sources.call_log]
path = "inbox/*.csv"
format = "csv"
naive_timestamps_are = "UTC"

[sources.call_log.columns]
request_id = ""
started_at_utc = "TIMESTAMP"
input_tokens = "ContextTokens"
output_tokens = "GeneratedTokens"

[sources.call_log.defaults]
provider = "azure_openai"
model = "gpt-4o"
api_key_id = "an-undeclared-key"

[sites.azure-west]
zone = "US-MIDA-PJM"
country = "USA"

[providers.azure_openai]
site = "azure-west"
system_of_record = "call_log"
"""
CEILING = """ceiling_id,perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity,adopted_by,reason
org-2023-11,organisation,organisation,requests,2023-11-01,2023-12-01,20000,Board,made up
"""


@pytest.fixture(scope="module")
def published(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[snapshot.Snapshot, dict[str, int]]:
    home = tmp_path_factory.mktemp("azure")
    inbox = home / "inbox"
    inbox.mkdir()
    (home / "jevons.toml").write_text(SETTINGS, "utf-8")
    (home / "ceilings.csv").write_text(CEILING, "utf-8")
    truth = {"calls": 0, "input": 0, "output": 0}
    for path in sorted((shared_data / "azure-llm-2023").glob("AzureLLMInferenceTrace_*.csv")):
        shutil.copy(path, inbox)
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                truth["calls"] += 1
                truth["input"] += int(row["ContextTokens"])
                truth["output"] += int(row["GeneratedTokens"])
    run_jevons(home, "registry", "import", str(home / "ceilings.csv"))
    run_jevons(home, "materialize", "--from", "2023-11-16")
    return snapshot.current(home), truth


def test_calls_and_tokens_equal_the_files_to_the_token(published: tuple) -> None:
    build, truth = published
    assert truth["calls"] == 28_185  # 8,819 of code and 19,366 of conversation
    for mart in ("fct_footprint_daily", "fct_workflow_daily", "fct_team_daily", "fct_organisation_daily"):
        sums = build.query(
            f"select sum(call_count) as calls, sum(input_tokens) as input, sum(output_tokens) as output from {mart}"
        ).to_pylist()
        assert sums == [truth], mart


def test_the_undeclared_key_is_orphaned_and_counts_against_the_organisation(published: tuple) -> None:
    build, truth = published
    assert build.query("select team_id, attribution_method, evidence_tier from fct_footprint_daily").to_pylist() == [
        {"team_id": "orphan", "attribution_method": "orphan", "evidence_tier": 4}
    ]
    position = build.query("select used_quantity, status from fct_ceiling_position_daily").to_pylist()
    assert position == [{"used_quantity": truth["calls"], "status": "exceeded"}]


def test_its_energy_is_the_factor_times_the_tokens(published: tuple) -> None:
    build, truth = published
    booked = build.query("select sum(energy_kwh) as kwh from fct_footprint_daily").to_pylist()[0]["kwh"]
    factor = build.query("""
        select kwh_per_request as a, kwh_per_output_token as b, kwh_per_input_token as c from dim_factor
        where provider = 'openai' and model_name = 'gpt-4o'
            and factor_id in (select factor_id from fct_footprint_daily)
    """).to_pylist()[0]
    exact = truth["calls"] * factor["a"] + truth["output"] * factor["b"] + truth["input"] * factor["c"]
    # the traces span two hours of one day, and each hourly row is rounded once, to a billionth of a kWh
    assert abs(booked - exact) <= 2 * 10**-9
