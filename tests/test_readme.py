"""The README is true: its commands run, and what it names exists.

What the commands do is tested with the rooms they belong to.
"""

import csv
import json
import re
import shlex
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from support import ROOT, run_jevons
from typer.main import get_command

from assets.cli import app
from pipelines.sandbox import stories
from pipelines.sources import all_sources

README = (ROOT / "README.md").read_text("utf-8")
DOCUMENTS = [*(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "DECISIONS.md")), *(ROOT / "docs").glob("*.md")]
COMMANDS = [
    line.split("#")[0].strip() for block in re.findall(r"```\n(.*?)```", README, re.S) for line in block.splitlines()
    if line.strip()
]
# these two open a server and stay; they are tried in tests/dashboards and tests/assets
STAY = {"dashboard", "dev"}


def words(command: str) -> list[str]:
    return shlex.split(command)[1:]


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith(".venv/bin/jevons sql") and " > " not in c])
def test_its_queries_answer(command: str, demo_home: Path) -> None:
    answer = run_jevons(demo_home, *words(command))
    assert "energy_kwh" in answer.stdout and "orphan" in answer.stdout
    assert "build" in answer.stderr


def test_another_factor_set_is_compared_on_the_same_use(demo_home: Path) -> None:
    command, = (c for c in COMMANDS if "factors diff" in c)
    rows = list(csv.DictReader(run_jevons(demo_home, *words(command), "--csv").stdout.splitlines()))
    *models, total = rows
    assert len(models) > 10 and total["model_id"] == "all models"
    for row in rows:
        parts = [Decimal(row[f"by_{why}_kwh"]) for why in ("activity", "factor", "method")]
        assert sum(parts) == Decimal(row["change_kwh"])
    # the set in force is the one that the ledger used
    booked = json.loads(run_jevons(demo_home, "sql", """
        select sum(f.energy_kwh) as kwh from fct_footprint_daily f join dim_factor using (factor_id)
        where factor_set = 'jevons-2026.11'""", "--json").stdout)[0]["kwh"]
    assert abs(Decimal(total["new_kwh"]) - Decimal(str(booked))) < Decimal("0.001")


def test_its_decomposition_says_that_a_better_model_was_used_up(demo_home: Path) -> None:
    command, = (c for c in COMMANDS if " decompose " in c)
    rows = list(csv.DictReader(run_jevons(demo_home, *words(command), "--csv").stdout.splitlines()))
    effects = {row["factor"]: Decimal(row["effect_quantity"]) for row in rows if row["part"] == "requests"}
    change = Decimal(rows[0]["compared_quantity"]) - Decimal(rows[0]["base_quantity"])
    assert sum(effects.values()) == change > 0 > effects["model_mix"]
    assert effects["calls_per_outcome"] > -effects["model_mix"]


def test_its_verify_says_that_all_is_well(demo_home: Path) -> None:
    assert "every file is as it was published" in run_jevons(demo_home, "verify").stdout


def test_its_gate_knows_the_workflow_and_what_its_build_left(demo_home: Path) -> None:
    command, = (c for c in COMMANDS if "gate check" in c)
    answer = json.loads(run_jevons(demo_home, *words(command), "--json").stdout)
    assert (answer["verdict"], answer["usefulness_class"]) == ("allow", "useful")
    gate = json.loads((demo_home / "published" / answer["build_id"] / "gate.json").read_text("utf-8"))
    left = {c["ceiling_id"]: (Decimal(c["used"]), Decimal(c["remaining"])) for c in gate["ceilings"]}
    rows = json.loads(run_jevons(demo_home, "sql", """
        select ceiling_id, max_by(used_quantity, usage_date)::varchar as used, any_value(limit_quantity)::varchar as top
        from fct_ceiling_position_daily where period_end = '2026-10-01' group by 1""", "--json").stdout)
    assert len(rows) >= 8
    for row in rows:
        used = Decimal(row["used"])
        assert left[row["ceiling_id"]] == (used, Decimal(row["top"]) - used)
    answers = {c["ceiling_id"]: c["answers"]["comfort"] for c in gate["ceilings"]}
    assert {answers["claims-fr-energy-2026-q3"], answers["org-energy-2026-q3"]} == {"deny", "allow"}


def test_its_alerts_show_where_all_ceilings_stand(demo_home: Path) -> None:
    command, = (c for c in COMMANDS if "alerts check" in c)
    shown = run_jevons(demo_home, *words(command)).stdout
    assert re.search(r"first look at \d+ ceilings: \d+ exceeded, \d+ on course to exceed", shown)
    assert not (demo_home / "alerts").exists()


def test_its_rules_are_tried_before_they_are_adopted(demo_home: Path) -> None:
    command, = (c for c in COMMANDS if "ceilings simulate" in c)
    replayed = [word.replace("data/", f"{demo_home}/") for word in words(command)]
    found = json.loads(run_jevons(demo_home, *replayed, "--json").stdout)
    assert (found["from_date"], found["to_date"], len(found["rules"])) == ("2026-06-01", "2026-06-30", 4)
    denied = {line["workflow_id"]: line["denied_call_count"] for line in found["workflows"]}
    essential = {line["workflow_id"] for line in found["workflows"] if line["usefulness_class"] == "essential"}
    assert len(essential) > 5 and {denied[name] for name in essential} == {0} and denied["synthetic-dialogues"] > 500
    held = {course["ceiling_id"]: (course["demanded_over_date"], course["holds"]) for course in found["ceilings"]}
    assert held == {"org-requests-2026-06": (None, True), "people-requests-2026-06": ("2026-06-29", True)}


def test_its_reviews_are_owed_and_a_saving_proposes_a_ceiling(demo_home: Path) -> None:
    owed, proposed = (
        run_jevons(demo_home, *words(c)).stdout for c in COMMANDS if words(c)[0] in ("reviews", "ratchet"))
    assert "detected:claims-triage:2026-07-15" in owed and stories.PROMPT_CUT.change_id in proposed


@pytest.fixture(scope="module")
def tour(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> list[CompletedProcess[str]]:
    """Each step of the officer's tour in order, on a copy of the demo's registry beside its published builds."""
    home = tmp_path_factory.mktemp("tour")
    shutil.copytree(demo_home / "inbox" / "registry", home / "inbox" / "registry")
    shutil.copy(demo_home / "registry.sqlite", home)
    (home / "published").symlink_to(demo_home / "published")
    steps = README.split("## A quarter under a ceiling")[1].split("```")[1].strip().splitlines()
    commands = [re.sub(r" {2,}#.*| > .*", "", step).replace("data/", f"{home}/") for step in steps]
    return [run_jevons(home, *words(command), check=False) for command in commands]


def test_its_tour_of_a_quarter_does_what_it_says(tour: list[CompletedProcess[str]]) -> None:
    status, imported, lowered, raised, refused, history, inventory = tour
    assert [step.returncode for step in tour] == [0, 0, 0, 1, 0, 0, 0]
    assert "5 recorded, 0 unchanged, 0 rows refused" in imported.stdout
    assert "org-energy-2026-q4 binds at 4600" in lowered.stdout
    assert "--limit" in raised.stderr and "4600" in raised.stderr
    attempt = refused.stdout.split("refused attempts (1)")[1]
    assert "org-energy-2026-q4" in attempt and "6000" in attempt and "command" in attempt
    assert "org-energy-2026-q4 (2)" in history.stdout and "6000" not in history.stdout


def test_its_tour_reads_the_day_on_which_a_ceiling_runs_out(tour: list[CompletedProcess[str]], demo_home: Path) -> None:
    said = re.search(r"org-requests-2026-q3 .* on course to exceed .*", tour[0].stdout).group()
    published = json.loads(run_jevons(demo_home, "sql", """
        select exhaustion_date_low::varchar as earliest, exhaustion_date::varchar as day,
            exhaustion_date_high::varchar as latest
        from fct_ceiling_position_daily where ceiling_id = 'org-requests-2026-q3' and usage_date = '2026-08-29'
    """, "--json").stdout)[0]
    assert said.split()[-3:] == [published["earliest"], published["day"], published["latest"]]
    assert date(2026, 8, 29) < date.fromisoformat(published["day"]) < date(2026, 10, 1)


def test_its_tour_exports_the_inventory(tour: list[CompletedProcess[str]]) -> None:
    rows = {row["workflow_id"]: row for row in csv.DictReader(tour[-1].stdout.splitlines())}
    assert len(rows) == 62  # the workflows of the registry, the orphans and the unattributed
    assert "without an outcome" in rows[stories.NIGHTLY_WORKFLOW]["retire_reasons"]
    assert float(rows["orphan"]["call_count"]) > 0 and not rows["orphan"]["owner"]


def test_its_first_steps_work_for_an_organisation_of_ones_own(demo_home: Path, tmp_path: Path) -> None:
    home = tmp_path / "own"
    assert "jevons.toml" in run_jevons(home, "init").stdout
    inbox = demo_home / "inbox" / "registry"
    files = [str(inbox / name) for name in ("teams.csv", "workflows.csv", "attribution_rules.csv", "ceilings.csv")]
    run_jevons(home, "registry", "import", *files)
    assert "attribution" in README or "rules.csv" in README
    listed = run_jevons(home, "registry", "list", "teams").stdout
    assert "claims-fr" in listed
    assert "published" in run_jevons(home, "doctor", check=False).stdout


def test_every_command_is_either_tried_or_stays_open() -> None:
    known = {name for name in get_command(app).commands}
    tried = {"sql", "decompose", "gate", "factors", "verify", "init", "registry", "doctor", "materialize", "demo",
             "ceilings", "alerts", "reviews", "ratchet"}
    named = {words(c)[0] for c in COMMANDS if c.startswith(".venv/bin/jevons")}
    assert named <= known
    assert named <= tried | STAY


def test_the_first_two_commands_are_make_targets() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert [c for c in COMMANDS if c.startswith("make")] == ["make demo", "make test"]
    for target in ("demo", "test", "bench", "lock"):
        assert re.search(rf"^{target}:", makefile, re.M)


def test_every_source_with_a_section_has_a_row() -> None:
    for source in all_sources():
        if not source.always:
            assert f"| `{source.name}` |" in README, source.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_and_paths_exist(document: Path) -> None:
    text = document.read_text("utf-8")
    linked = re.findall(r"\]\((?!https?://)([^)#]+)\)", text)
    quoted = re.findall(r"`((?:pipelines|assets|quality|dashboards|dbt_project|tests|docs)/[\w./-]*)`", text)
    for place, names in ((document.parent, linked), (ROOT, quoted)):
        for name in names:
            assert (place / name).exists(), name
    marts = {path.stem for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    assert set(re.findall(r"`((?:fct|dim)_\w+)", text)) <= marts


def test_secrets_are_named_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", README)) | {s.secret for s in all_sources() if s.secret}
    for name in named - {"CURRENT"}:
        assert re.search(rf"^{name}=", example, re.M), name


def test_help_of_every_command_is_complete() -> None:
    def walk(command, path):
        if hasattr(command, "commands"):
            for name, inner in command.commands.items():
                yield from walk(inner, f"{path} {name}")
        else:
            yield path, command

    for path, command in walk(get_command(app), "jevons"):
        assert command.help and len(command.help) > 20, path
        for parameter in command.params:
            if parameter.name not in {"help", "install_completion", "show_completion"}:
                assert getattr(parameter, "help", None), f"{path}: {parameter.name}"
