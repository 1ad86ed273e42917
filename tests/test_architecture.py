"""Promises of the code itself: who may import whom, what every column says, and that no figure hides in the SQL."""

import ast
import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT

from pipelines.declared import GRID_PINS
from pipelines.sources import all_sources
from quality.promises import promised

MODELS = ROOT / "dbt_project" / "models"
ROOMS = ("pipelines", "quality", "assets", "dashboards")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
SQL = sorted(MODELS.rglob("*.sql"))
UNITS = ("_kwh", "_wh", "_w", "_j", "_gco2e", "_kgco2e", "_gco2e_per_kwh", "_gco2_per_kwh", "_litres",
         "_litres_per_kwh", "_usd", "_tokens", "_seconds", "_hours", "_days", "_ratio", "_count")
# what stands in these columns is in the unit that another column of the same row names
UNIT_BESIDE = {
    "dim_factor": ("unit", {"value_low", "value", "value_high"}),
    "dim_ceiling": ("metric", {"limit_quantity"}),
    "fct_ceiling_step": ("metric", {"from_quantity", "touched_quantity"}),
    "fct_ceiling_position_daily": ("metric", {"limit_quantity", "used_quantity", "used_low", "used_high",
                                              "forecast_quantity", "forecast_low", "forecast_high"}),
    "fct_levy_posting": ("currency", {"debit_amount", "credit_amount", "amount_high", "price_per_tonne"}),
    **dict.fromkeys(("fct_decomposition_monthly", "fct_training_decomposition_monthly"), ("measure", {
        "effect_low", "effect_quantity", "effect_high", "base_quantity", "compared_quantity"})),
    "fct_efficiency_change": ("moved_ratio", {f"{side}_level{end}" for side in ("before", "after")
                                              for end in ("_low", "", "_high")}),
    "fct_range_monthly": ("metric", {"low", "central", "mean", "high"}),
    "fct_reconciliation_daily": ("quantity", {"of_record_quantity", "other_quantity", "gap_quantity",
                                              "unseen_quantity"}),
    "fct_restatement": ("quantity", {"landed_total", "change_total"}),
    "fct_model_choice": ("metric", {"quality_score", "quality_low", "quality_high"}),
    "fct_workflow_model_choice": ("metric", {"minimum_quality", "used_quality_score", "cheapest_quality_score"}),
}
# plain counts that were named in DESIGN 5, ranks, versions, numbers of order and probabilities: no unit to say
UNITLESS = {"expected_monthly_calls", "evidence_tier", "version", "expected_tables", "received_tables", "received_rows",
            "breach_probability", "ghg_scope", "scope3_category", "batch_size", "breach_probability_high", "bin_number",
            "upgraded_tier", "question_number", "attempt_id", "level", "event_week", "pre_trend_probability"}


def test_the_rooms_import_each_other_in_one_direction():
    done = subprocess.run([Path(sys.executable).with_name("lint-imports"), "--no-cache"], capture_output=True,
                          text=True, check=False, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", done.stdout)


def test_only_assets_imports_dagster_and_only_dashboards_streamlit():
    only = {"dagster": "assets", "dagster_dbt": "assets", "streamlit": "dashboards", "great_expectations": "quality"}
    # litellm lives in an environment of its own: one module is for that
    assert [path.name for path in MODULES if "litellm" in re.findall(r"(?m)^(?:from|import) (\w+)", path.read_text())] \
        == ["litellm_hook.py"]
    wrong = [
        (str(path.relative_to(ROOT)), name)
        for path in MODULES for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if only.get(name.split(".")[0], path.relative_to(ROOT).parts[0]) != path.relative_to(ROOT).parts[0]
    ]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_what_does_not_belong_in_it(path):
    text = path.read_text("utf-8")
    if not text.strip():
        return
    said = ast.get_docstring(ast.parse(text)) or ""
    first, _, rest = said.partition("\n")
    assert first.rstrip().endswith((".", ":", "?")), "the first line says what the module is"
    assert len(rest.strip()) > 20, "what follows says what does not belong in it"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> dict:
    """The project as dbt reads it now."""
    target = tmp_path_factory.mktemp("dbt")
    done = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--quiet", "parse", "--project-dir", ROOT / "dbt_project",
         "--profiles-dir", ROOT / "dbt_project", "--target-path", target],
        capture_output=True, text=True, check=False, cwd=ROOT, timeout=120,
        env={**os.environ, "JEVONS_HOME": str(target), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((target / "manifest.json").read_text("utf-8"))


def of_type(manifest: dict, kind: str) -> list[dict]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == kind]


def marts(manifest: dict) -> list[dict]:
    return [node for node in of_type(manifest, "model") if node["fqn"][1] == "marts"]


def test_every_column_of_a_mart_is_described_and_typed_by_contract(manifest):
    found = marts(manifest)
    assert len(found) >= 14
    for node in found:
        assert node["config"]["contract"]["enforced"], node["name"]
        assert len(node["description"]) > 15, node["name"]
        for name, column in node["columns"].items():
            assert column["data_type"], f"{node['name']}.{name} has no type"
            assert len(column["description"]) > 4, f"{node['name']}.{name} is not described"


def test_every_column_of_a_seed_is_described_and_typed(manifest):
    for node in of_type(manifest, "seed"):
        path = ROOT / "dbt_project" / node["original_file_path"]
        names = path.read_text("utf-8").partition("\n")[0].strip().split(",")
        assert set(names) == set(node["config"]["column_types"]), node["name"]
        for name in names:
            assert len(node["columns"].get(name, {}).get("description", "")) > 4, f"{node['name']}.{name}"


def test_every_model_is_described_and_its_file_begins_with_its_grain(manifest):
    undescribed = [node["name"] for node in of_type(manifest, "model")
                   if not node["description"] and node["config"]["materialized"] != "ephemeral"]
    assert undescribed == []
    assert [path.name for path in SQL if not path.read_text("utf-8").startswith("-- One row per ")] == []


def test_no_binary_fraction_stands_in_a_ledger(manifest):
    floats = [
        f"{node['name']}.{name}: {kind}"
        for node in [*of_type(manifest, "model"), *of_type(manifest, "seed")]
        for name, kind in [
            *((name, column["data_type"] or "") for name, column in node["columns"].items()),
            *node["config"].get("column_types", {}).items(),
        ]
        if re.search("double|float|real", kind.lower())
    ]
    assert floats == []
    casts = [path.name for path in [*SQL, *(ROOT / "dbt_project").rglob("tests/**/*.sql")]
             if re.search(r"\bas (double|float|real)\b|::(double|float)", path.read_text("utf-8").lower())]
    assert casts == []


def test_every_quantity_of_a_mart_says_its_unit(manifest):
    unsaid = []
    for node in marts(manifest):
        beside, others = UNIT_BESIDE.get(node["name"], (None, set()))
        assert beside is None or beside in node["columns"]
        assert others <= set(node["columns"])
        for name, column in node["columns"].items():
            if column["data_type"].split("(")[0] in ("varchar", "boolean") or name in UNITLESS | others:
                continue
            central = re.sub(r"_(low|high)$", "", name)
            if column["data_type"] == "date":
                said = central.endswith("_date") or name in ("valid_from", "valid_to", "period_start", "period_end",
                                                                "usage_month")
            elif column["data_type"] == "timestamp":
                said = name.endswith("_utc")
            else:
                said = central.endswith(UNITS) or re.search(r"(^|_)(kwh|wh|litres|usd|gco2e|calls)_per_", central)
            if not said:
                unsaid.append(f"{node['name']}.{name}")
    assert unsaid == []


def test_no_figure_stands_in_the_models():
    code = {path: re.sub(r"--[^\n]*|\{#.*?#\}", "", path.read_text("utf-8"), flags=re.S) for path in SQL}
    hidden = [(path.name, number) for path, text in code.items() for number in re.findall(r"\d*\.\d{4,}", text)]
    assert hidden == []
    # of the shorter ones only the width of a 95 % range in standard deviations, a definition
    short = {number for text in code.values() for number in re.findall(r"(?<![\w.])\d+\.\d+(?![\w.])", text)}
    assert short <= {"3.92"}


def test_staging_alone_reads_sources_and_reads_nothing_else(manifest):
    for node in of_type(manifest, "model"):
        kinds = {parent.split(".")[0] for parent in node["depends_on"]["nodes"]}
        if node["fqn"][1] == "staging":
            assert kinds == {"source"}, node["name"]
        else:
            assert "source" not in kinds, node["name"]


def test_models_use_only_what_duckdb_and_spark_share():
    beyond = re.compile(
        r"\bqualify\b|\bgroup by all\b|\border by all\b|\bunion (all )?by name\b|::|\bexclude\s*\(|\bread_parquet\b"
        r"|\bstrptime\b|\bepoch_ms\b|\bunnest\b|\blist_|//"
    )
    found = [(path.name, match[0]) for path in SQL
             if (match := beyond.search(re.sub(r"--[^\n]*", "", path.read_text("utf-8").lower())))]
    assert found == []


def test_every_mart_has_a_tested_key_that_is_never_all_unknown(manifest):
    """A contract refuses a null as the table is made: a data test for each column would be one more node for each."""
    keys = {}
    for node in of_type(manifest, "test"):
        test = node.get("test_metadata") or {}
        if test.get("name") in ("unique", "unique_key"):
            keys[node["attached_node"]] = test["kwargs"].get("columns") or [test["kwargs"]["column_name"]]
    assert [node["name"] for node in marts(manifest) if node["unique_id"] not in keys] == []
    for node in marts(manifest):
        filled = {name for name, column in node["columns"].items()
                  if any(constraint["type"] == "not_null" for constraint in column["constraints"])}
        assert filled & set(keys[node["unique_id"]]), node["name"]


def test_what_gate_2_asks_is_of_models_that_it_finds_in_the_warehouse_and_asked_of_all_their_rows(manifest):
    """What a raw column must hold, and which are its table's key, the source says: landing asks once, staging not."""
    asked = list(promised(manifest["nodes"]))
    of = [manifest["nodes"][node["attached_node"]] for node in asked]
    assert [node["name"] for node in of if node["config"]["materialized"] == "ephemeral"] == []
    assert [node["name"] for node in of if node["fqn"][1] == "staging"] == []
    assert [node["name"] for node in asked if node["config"]["where"] or node["config"]["severity"] != "ERROR"] == []
    assert {node["test_metadata"]["name"] for node in asked} >= {"unique", "unique_key", "accepted_values"}
    every_day = [node["name"] for node in of_type(manifest, "test")
                 if node not in asked and not (node.get("attached_node") or "").startswith("seed.")]
    assert len(every_day) < 25  # what is left to dbt is a step of every run for each


def test_no_model_has_a_node_for_each_column_that_must_be_there(manifest):
    single = [node["name"] for node in of_type(manifest, "test")
              if (node.get("test_metadata") or {}).get("name") == "not_null"
              and node["attached_node"].startswith("model.")]  # those of frozen seeds are in no daily run
    assert single == []  # the contract says it in a mart, `present` or `primary_key` elsewhere


def test_denied_work_is_in_no_account_of_use(manifest):
    """Nobody subtracts what the gate denied from what was used, or adds it: the lines end in one mart."""
    readers = {
        name: sorted(node["name"] for node in manifest["nodes"].values() if node["resource_type"] == "model"
                     and any(parent.split(".")[-1] == name for parent in node["depends_on"]["nodes"]))
        for name in ("stg_denied_calls__questions", "fct_denied_daily")
    }
    assert readers == {"stg_denied_calls__questions": ["fct_denied_daily"], "fct_denied_daily": []}


def test_every_mart_of_quantities_is_held_against_another(manifest):
    held = {node["attached_node"] for node in of_type(manifest, "test")
            if (node.get("test_metadata") or {}).get("name") in ("same_total", "footprint_matches_activity")}
    names = {unique_id.split(".")[-1] for unique_id in held}
    assert {"fct_footprint_daily", "fct_workflow_daily", "fct_team_daily", "fct_organisation_daily"} <= names


@pytest.mark.parametrize("source", all_sources(), ids=lambda source: source.name)
def test_a_source_is_complete(manifest, source):
    folder = MODELS / "staging" / source.name
    assert list(folder.glob("*.yml")), f"no {folder.relative_to(ROOT)}/*.yml"
    declared = {node["name"] for node in manifest["sources"].values() if node["source_name"] == source.name}
    assert declared == {table.name for table in source.tables}, "dbt's source names the tables of the source"
    read = {parent.split(".")[-1] for node in of_type(manifest, "model") if node["fqn"][1] == "staging"
            for parent in node["depends_on"]["nodes"] if parent.split(".")[2] == source.name}
    assert read == declared, "each table has a staging model, of its own or that of its kin"
    named = re.compile(rf"\b{source.name}\b")
    tests = (ROOT / "tests" / "pipelines").rglob("test_*.py")
    assert any(named.search(path.read_text("utf-8")) for path in tests), "a test speaks of it"
    for table in source.tables:
        assert table.description and set(table.key) <= {column.name for column in table.columns}
        assert [column.name for column in table.columns if len(column.description) < 4] == []


def test_every_source_of_activity_has_its_model(manifest):
    project = (ROOT / "dbt_project" / "dbt_project.yml").read_text("utf-8")
    words = re.findall(r"\w+", re.search(r"activity_sources: \[(.*?)\]", project, re.S)[1])
    names = {node["name"] for node in of_type(manifest, "model") if re.match("int_.*__activity$", node["name"])}
    assert {f"int_{word}__activity" for word in words} == names
    assert set(words) <= {source.name for source in all_sources()}


def test_every_source_of_the_grid_has_its_model_and_can_be_pinned(manifest):
    project = (ROOT / "dbt_project" / "dbt_project.yml").read_text("utf-8")
    words = re.findall(r"\w+", re.search(r"grid_sources: \[(.*?)\]", project, re.S)[1])
    names = {node["name"] for node in of_type(manifest, "model") if re.match("int_.*__grid$", node["name"])}
    assert {f"int_{word}__grid" for word in words} == names
    assert {*words, "yearly_mix"} == set(GRID_PINS)
    with (ROOT / "dbt_project" / "seeds" / "grid_publisher.csv").open(encoding="utf-8", newline="") as rows:
        assert {row["grid_source"] for row in csv.DictReader(rows)} == set(words)
