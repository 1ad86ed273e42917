"""The home that the sandbox writes: complete, readable, and accepted by those who read it."""

import csv
import tomllib
from datetime import UTC, datetime

import pytest

from pipelines.sandbox import files, stories


@pytest.fixture(scope="module")
def home(tmp_path_factory, sandbox):
    folder = tmp_path_factory.mktemp("home")
    files.write_home(folder, sandbox, days=43)
    return folder


def test_files_are_there_and_one_day_is_not(home):
    calls = sorted(path.name for path in (home / "inbox" / "calls").iterdir())
    assert len(calls) == 42  # 43 days without 2026-07-12
    assert (calls[0], calls[-1]) == ("2026-06-01.csv", "2026-07-13.csv")
    assert f"{stories.MISSING_CALL_LOG_DAY}.csv" not in calls
    assert (home / "inbox" / "outcomes" / "outcomes.csv").is_file()
    assert not list(home.rglob("*.part"))


def test_settings_name_every_provider_of_the_call_log(home):
    settings = tomllib.loads((home / "jevons.toml").read_text())
    assert settings["organisation"] == {"name": "Sandbox Organisation", "sandbox": True}
    assert set(settings["sources"]) == {
        "openai", "anthropic", "call_log", "gpu_prometheus", "meters", "electricity_maps", "outcomes", "gpu_jobs",
        "run_stages", "evaluations", "quality_bars", "measurements", "denied_calls"}
    text = (home / "inbox" / "calls" / "2026-06-03.csv").read_text().splitlines()
    assert {line.split(",")[2] for line in text[1:]} == set(settings["providers"])
    assert {p["site"] for p in settings["providers"].values()} == set(settings["sites"])
    assert settings["sites"]["paris-dc"]["pue"] == "1.25"


def test_settings_are_accepted(home):
    from pipelines.settings import load

    loaded = load(home, files.environment())
    assert loaded.sandbox and len(loaded.sites) == 7 and len(loaded.providers) == 8
    assert loaded.secret("OPENAI_ADMIN_KEY").startswith("sk-admin-sandbox")


def test_registry_files_are_accepted_without_a_refusal(home, tmp_path):
    from pipelines.registry.importer import import_csv
    from pipelines.registry.store import open_registry

    engine = open_registry(f"sqlite:///{tmp_path}/registry.sqlite")
    accepted = {}
    for kind in files.REGISTRY_KINDS:
        path = home / "inbox" / "registry" / f"{kind}.csv"
        result = import_csv(engine, path, None, "sandbox", "made-up registry", datetime(2026, 5, 20, tzinfo=UTC))
        assert [finding.sentence() for finding in result.refused] == []
        accepted[kind] = result.accepted
    assert accepted == {
        "teams": 12, "workflows": 60, "attribution_rules": len(files.RULES), "ceilings": 10, "gate_rules": 4,
        "claims": 4, "changes": 1, "reviews": 1, "levies": 4, "levy_uses": 1, "vendors": 3, "vendor_answers": 13}
    path = home / "inbox" / "registry" / "ceilings-2026-q4.csv"
    result = import_csv(engine, path, None, "sandbox", "the next quarter", datetime(2026, 8, 28, tzinfo=UTC))
    assert (result.accepted, result.refused) == (5, [])


def test_writing_again_changes_nothing(home, sandbox):
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    written = files.write_home(home, sandbox, days=43)
    assert sorted(written) == sorted(before)
    assert {path: path.read_bytes() for path in written} == before


def test_the_stages_of_the_sandboxs_runs_leave_what_the_story_says(home):
    from pipelines.sandbox.lifecycle import GUARDED_RUN, UNGUARDED_RUN, run_joules

    with (home / "inbox" / "run_stages.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    for run, missing in ((GUARDED_RUN, 11), (UNGUARDED_RUN, 70)):  # thousandths that no window holds
        told = sum(int(row["energy_j"]) for row in rows if row["run_id"] == run)
        assert run_joules(run) - told == run_joules(run) * missing // 1000 > 0


def test_the_jobs_of_the_sandbox_are_read_without_a_refusal(home):
    from pipelines.settings import load
    from pipelines.source import Context
    from pipelines.sources import gpu_jobs

    context = Context(load(home, files.environment()), home)
    assert gpu_jobs.SOURCE.check(context) == "14 records of gpu_jobs in inbox/gpu_jobs/*.txt can be read."
