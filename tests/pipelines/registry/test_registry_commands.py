"""The command line: what it prints, which exit code it gives, and that nothing there raises a ceiling."""

import re

import pytest
import typer
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from pipelines.registry.commands import ceilings_app, registry_app
from pipelines.registry.models import KINDS

app = typer.Typer()
app.add_typer(registry_app, name="registry")
app.add_typer(ceilings_app, name="ceilings")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs one command with JEVONS_HOME in a temporary folder."""
    monkeypatch.setenv("JEVONS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("JEVONS_REGISTRY_URL", raising=False)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def files(tmp_path, put):
    """One good file of each kind."""
    paths = []
    for kind in ("ceilings", "rules", "workflows", "teams"):
        path = tmp_path / f"{kind}.csv"
        path.write_text(getattr(put, kind))
        paths.append(str(path))
    return paths


ADOPT = (
    "ceilings", "adopt", "--perimeter-type", "team", "--perimeter-id", "claims", "--metric", "energy_kwh",
    "--from", "2026-06-01", "--to", "2026-09-01", "--by", "Claims unit", "--reason", "Share of the unit",
)
DERIVED = "team:claims:energy_kwh:2026-06-01:2026-09-01"


def test_files_are_imported_in_the_order_they_need(run, files):
    result = run("registry", "import", *files, "--by", "Data office")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "teams.csv: 2 recorded, 0 unchanged, 0 rows refused",
        "workflows.csv: 2 recorded, 0 unchanged, 0 rows refused",
        "rules.csv: 3 recorded, 0 unchanged, 0 rows refused",
        "ceilings.csv: 2 recorded, 0 unchanged, 0 rows refused",
    ]


def test_refused_rows_give_exit_code_3_and_wait_in_quarantine(run, files, tmp_path, put):
    (tmp_path / "teams.csv").write_text(put.teams + "orphan,N,u,U,FR,2026-01-01,\nx,N,u,U,France,2026-01-01,\n")
    result = run("registry", "import", *files)
    assert result.exit_code == 3
    assert result.stderr.splitlines() == [
        "teams.csv, line 4, team_id: the id 'orphan' is reserved for what nobody owns; choose another id.",
        "teams.csv, line 5, country: 'France' is not a country; use ISO 3166-1, such as FR or FRA.",
    ]
    refused = tmp_path / "home" / "quarantine" / "registry" / "teams.refused.csv"
    assert result.stdout.splitlines()[0] == f"teams.csv: 2 recorded, 0 unchanged, 2 rows refused, see {refused}"
    assert len(refused.read_text().splitlines()) == 3
    assert result.stdout.splitlines()[3] == "ceilings.csv: 2 recorded, 0 unchanged, 0 rows refused"


def test_a_missing_file_is_one_sentence(run, tmp_path):
    result = run("registry", "import", str(tmp_path / "teams.csv"))
    assert result.exit_code == 1
    assert result.stderr.strip() == (
        f"The file cannot be read ({tmp_path}/teams.csv): no such file or directory; correct the path."
    )


def test_a_file_that_cannot_be_taken_does_not_stop_the_others(run, files, tmp_path):
    result = run("registry", "import", str(tmp_path / "what.csv"), *files[:3], str(tmp_path / "teams2.csv"), files[3])
    assert result.exit_code == 1
    assert "'what.csv' names none of" in result.stderr and "'teams2.csv' names none of" in result.stderr
    assert "ceilings.csv: 2 recorded" in result.stdout


def test_a_file_refused_whole_says_so(run, tmp_path, put):
    (tmp_path / "teams.csv").write_text("\ufeff" + put.teams, "utf-8")
    result = run("registry", "import", str(tmp_path / "teams.csv"))
    assert result.exit_code == 3
    assert result.stdout == "teams.csv: 0 recorded, 0 unchanged, 0 rows refused, the rest of the file not read\n"


def test_list_shows_what_stands(run, files):
    run("registry", "import", *files)
    for kind, words in {
        "teams": ("claims", "Tax advice"), "workflows": ("Head of tax",), "rules": ("0.66666667", "proj_b"),
        "ceilings": ("org-kwh", "1200.5", "900000", "Decision 15"),
    }.items():
        result = run("registry", "list", kind)
        assert result.exit_code == 0
        for word in words:
            assert word in result.stdout
    assert "org-kwh" in run("ceilings", "list").stdout
    before = run("registry", "list", "teams", "--as-of", "2020-01-01").stdout
    assert "claims" not in before and "teams (0)" in before


def test_markup_in_a_name_is_shown_as_it_is(run, tmp_path, put):
    (tmp_path / "teams.csv").write_text(put.teams.replace("Tax advice", "[red]Tax[/red]"))
    run("registry", "import", str(tmp_path / "teams.csv"))
    assert "[red]Tax[/red]" in run("registry", "list", "teams").stdout


def test_a_ceiling_is_adopted_and_lowered_but_not_raised(run, files):
    run("registry", "import", *files)
    adopted = run(*ADOPT, "--limit", "500.25")
    assert (adopted.exit_code, adopted.stdout) == (0, f"{DERIVED} binds at 500.25, recorded for Claims unit.\n")
    again = run(*ADOPT, "--limit", "500.25")
    assert (again.exit_code, again.stdout) == (0, f"{DERIVED} already stands at 500.25; nothing was recorded.\n")
    for words in ((*ADOPT, "--limit", "501"), ("ceilings", "lower", DERIVED, "--limit", "501", *ADOPT[-4:])):
        raised = run(*words)
        assert raised.exit_code == 1
        assert raised.stderr.strip() == (
            f"The ceiling was not recorded (--limit): 501 is above the 500.25 that stand for {DERIVED}, and a ceiling"
            " is never raised; keep or lower the limit; a new one can be adopted for the next period."
        )
    lowered = run("ceilings", "lower", DERIVED, "--limit", "400", "--by", "Claims unit", "--reason", "Less volume")
    assert (lowered.exit_code, lowered.stdout) == (0, f"{DERIVED} binds at 400, recorded for Claims unit.\n")
    history = run("registry", "history", DERIVED).stdout
    assert "500.25" in history and "400" in history and "Less volume" in history and "501" not in history


@pytest.mark.parametrize("words, sentence", [
    (("ceilings", "lower", "nowhere", "--limit", "1", "--by", "B", "--reason", "R"),
     "There is nothing to lower (nowhere): the registry holds no such ceiling;"
     " look it up with `jevons ceilings list`."),
    ((*ADOPT, "--limit", "1e3"),
     "The ceiling was not recorded (--limit): '1e3' is not a plain decimal number of at least 0;"
     " write digits with a dot, without sign, thousands separator or exponent."),
    (("registry", "history", "nowhere"),
     "There is no history (nowhere): the registry never held this id; look it up with `jevons registry list`."),
])
def test_errors_are_one_sentence(run, words, sentence):
    result = run(*words)
    assert result.exit_code == 1
    assert result.stderr.strip() == sentence


def test_a_ceiling_needs_somebody_and_a_reason(run):
    assert run(*ADOPT[:-4], "--limit", "1").exit_code == 2
    refused = run(*ADOPT[:-1], " ", "--limit", "1")
    assert refused.stderr.strip() == (
        "The ceiling was not recorded (--reason): it has no text; write something that a reader understands."
    )


def test_no_command_raises_or_deletes():
    read_only = {"status", "simulate"}  # added by `assets.cli`, where that is loaded
    words = {command.name or command.callback.__name__ for command in ceilings_app.registered_commands}
    assert words - read_only == {"adopt", "allocate", "allocations", "list", "lower", "refused"}
    names = {command.name or command.callback.__name__ for command in registry_app.registered_commands}
    assert names == {"import", "list", "history"}


@pytest.mark.parametrize("words", [
    ("registry", "import"), ("registry", "list"), ("registry", "history"),
    ("ceilings", "adopt"), ("ceilings", "lower"), ("ceilings", "list"), ("ceilings", "refused"),
    ("ceilings", "allocate"), ("ceilings", "allocations"),
])
def test_help_has_an_example(run, words):
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "jevons " + " ".join(words) in result.stdout


def test_help_of_import_names_every_column_of_the_tables(run):
    """The header of each table that a file fills, without what the registry itself notes down."""
    told = " ".join(run("registry", "import", "--help").stdout.replace("*", "").split())
    noted = {"row_id", "version", "recorded_at_utc", "recorded_by", "supersedes"}
    for kind in KINDS.values():
        listed = told[told.index(f"{kind.name}: "):].removeprefix(f"{kind.name}: ")
        listed = re.split("|".join(f"{other}: " for other in KINDS), listed)[0]
        names = set(kind.table.__table__.columns.keys()) - noted
        names -= {"valid_from"} - set(kind.columns)  # the day of an adoption, a use, an answer, a decision
        if kind.name not in ("ceilings", "reviews", "ratchets"):
            names -= {"reason"}  # of the import
        assert names <= set(re.findall(r"[a-z_]+", listed)), kind.name
        assert ("may be empty" in listed) == (kind.columns != kind.required), kind.name
        assert "valid_to" not in kind.columns or re.search("may be empty: [a-z_, ()]*valid_to", listed), kind.name
    assert "usefulness_class (essential, useful, comfort, experimental)" in told


def test_another_database_can_be_configured(run, files, tmp_path, monkeypatch):
    monkeypatch.setenv("JEVONS_REGISTRY_URL", f"sqlite:///{tmp_path}/elsewhere.sqlite")
    run("registry", "import", *files)
    assert not (tmp_path / "home" / "registry.sqlite").exists()
    with create_engine(f"sqlite:///{tmp_path}/elsewhere.sqlite").connect() as connection:
        assert connection.execute(text("select count(*) from teams")).scalar() == 2


def test_what_was_refused_is_shown(run, files):
    assert run("registry", "import", *files).exit_code == 0
    assert run(*ADOPT, "--limit", "10").exit_code == 0
    assert run(*ADOPT, "--limit", "11").exit_code == 1
    assert run(*ADOPT, "--limit", "many").exit_code == 1
    shown = run("ceilings", "refused").stdout
    assert "refused attempts (2)" in shown and shown.count("command") == 2
    assert "a ceiling is never raised" in shown and "is not a plain decimal number" in shown
