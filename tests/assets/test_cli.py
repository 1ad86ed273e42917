"""The `jevons` command as a user types it: what it prints, and the code it exits with."""

import io
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import homes
import pytest
import requests
from homes import FIRST, LAST, environ
from rich.console import Console
from support import JEVONS, run_jevons
from typer.main import get_command

from assets.cli import app
from assets.doctor import examine
from assets.progress import Progress
from assets.run import words
from pipelines.settings import load
from pipelines.sources import all_sources
from pipelines.starter import write_starter


def commands(group: object = None, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    group = group or get_command(app)
    found = []
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found += commands(command, (*path, name))
        else:
            found.append(((*path, name), command.help or ""))
    return found


@pytest.mark.parametrize(("path", "text"), commands(), ids=[" ".join(path) for path, _ in commands()])
def test_every_command_says_what_it_does_and_gives_an_example(path: tuple[str, ...], text: str) -> None:
    assert "Example" in text and f"jevons {' '.join(path)}" in text


def test_every_option_of_materialize_is_explained() -> None:
    options = get_command(app).commands["materialize"].params
    assert {option.opts[0] for option in options} == {"--from", "--to"}
    assert all(option.help for option in options)


# What is refused at once, in one sentence


def refused(home: Path, *words: str, **more: str) -> str:
    done = run_jevons(home, *words, check=False, **environ(home, **more))
    assert done.returncode == 1 and done.stdout == ""
    sentence = done.stderr.strip().splitlines()[-1]
    assert sentence.startswith("Error: ") and sentence.endswith(".") and "Traceback" not in done.stderr
    return sentence


def test_a_home_without_settings_is_told_of_init(tmp_path: Path) -> None:
    assert "run `jevons init`" in refused(tmp_path / "nothing", "materialize", "--from", "2026-06-01")
    assert not (tmp_path / "nothing").exists()


def test_a_fresh_home_with_only_defaults_is_told_what_to_switch_on(tmp_path: Path) -> None:
    run_jevons(tmp_path, "init", **environ(tmp_path))
    sentence = refused(tmp_path, "materialize", "--from", "2026-06-01")
    assert "no source is switched on" in sentence and all(name in sentence for name in ("openai, ", "call_log, "))
    assert "this home has its settings already" in refused(tmp_path, "init")


def test_days_that_cannot_be_are_refused(small_home: Path) -> None:
    today = datetime.now(UTC).date()
    sentence = refused(small_home, "materialize", "--from", str(today))
    assert "That day is not over" in sentence and str(today - timedelta(days=1)) in sentence
    assert "swap them" in refused(small_home, "materialize", "--from", str(LAST), "--to", str(FIRST))
    assert "JEVONS_FIRST_DAY=2020-06-01" in refused(small_home, "materialize", "--from", "2020-06-01")


def test_a_disk_that_is_full_is_one_sentence_whoever_meets_it_first(only_calls: Path, tmp_path: Path) -> None:
    """With 0.4 MB left, Dagster's own storage, which is written before any record, has too little room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("a small disk needs the right to mount; how it is known is tested with landing")
    try:
        (disk / "jevons.toml").write_text(homes.ONLY_CALLS, "utf-8")
        (disk / "inbox" / "calls").mkdir(parents=True)
        shutil.copy(only_calls / "inbox" / "calls" / f"{FIRST}.csv", disk / "inbox" / "calls")
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 400_000))
        sentence = refused(disk, "materialize", "--from", str(FIRST))
        assert sentence == (
            f"Error: The command was not finished ({disk}): no space is left on that disk; "
            "free some space and run it again; what was landed and published before is untouched.")
    finally:
        subprocess.run(["umount", disk], check=True)


# A range, progress and an organisation that has nothing but a call log


@pytest.fixture
def only_calls(small_home: Path, tmp_path: Path) -> Path:
    """A home without OpenAI, GPUs, grid key, outcomes and registry; files of 2026-06-01 to 2026-06-04."""
    home = tmp_path / "home"
    shutil.copytree(small_home / "inbox" / "calls", home / "inbox" / "calls")
    (home / "jevons.toml").write_text(homes.ONLY_CALLS, "utf-8")
    return home


def test_a_range_of_more_than_400_days_is_one_fetch(only_calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ(only_calls).items():
        monkeypatch.setenv(name, value)
    told = homes.land(["call_log/calls"], date(2025, 7, 25), date(2026, 8, 29))["call_log/calls"]
    # 2025-07-25 to 2026-08-29 are 401 days; four have a file
    assert told["passed"] is True and told["days"] == 4 and len(told["days_missing"]) == 397


def test_progress_in_a_pipe_is_one_line_a_step() -> None:
    text = io.StringIO()
    with Progress(Console(file=text, width=100)) as progress:
        progress.tell("starting", 0, 0)
        for step, done in (("openai costs", 0), ("openai costs · page 1", 0), ("openai costs", 1), ("ledger days", 1)):
            progress.tell(step, done, 2)
        progress.tell("ledger days", 2, 2)
    assert text.getvalue().splitlines() == ["starting", "1/2 openai costs", "2/2 ledger days"]


def test_progress_in_a_terminal_is_a_bar_that_goes_away() -> None:
    text = io.StringIO()
    with Progress(Console(file=text, width=120, force_terminal=True)) as progress:
        progress.tell("openai costs · page 1", 3, 23)
    assert "openai costs · page 1" in text.getvalue() and "3/23" in text.getvalue()
    assert text.getvalue().endswith("\x1b[2K")


def test_steps_are_told_in_words() -> None:
    assert words("raw__openai__api_keys") == words("raw/openai/api_keys") == "openai api keys"
    assert words("ledger_days") == "ledger days"


def test_tables_in_a_pipe_are_not_squeezed(small_home: Path) -> None:
    done = run_jevons(small_home, "sql", "select * from fct_footprint_daily limit 1", **environ(small_home, COLUMNS=""))
    assert max(map(len, done.stdout.splitlines())) > 80


# Doctor


def told(home: Path) -> dict[str, tuple[bool, str]]:
    return {name: (ok, sentence) for name, ok, sentence in examine(home)}


def test_doctor_finds_a_sandbox_in_good_health(home: Path) -> None:
    found = told(home)
    assert all(ok for ok, _ in found.values()), found
    switched_on = [source.name for source in all_sources() if load(home).enabled(source.name)]
    assert list(found) == ["settings", *switched_on, "switched off", "alerts", "published"]
    switched_off = found["switched off"][1].partition(": ")[2].split(", ")
    assert switched_off == [s.name for s in all_sources() if not s.always and s.name not in switched_on]
    assert {"openai", "call_log", "gpu_prometheus", "meters", "outcomes"} <= load(home).sources.keys()
    assert "2026-06-01 to 2026-06-03" in found["published"][1]


def test_doctor_names_the_key_that_is_refused_and_does_not_show_it(home: Path) -> None:
    wrong = "sk-admin-wrong-8c1d"
    done = run_jevons(home, "doctor", check=False, **environ(home, OPENAI_ADMIN_KEY=wrong))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("mend")] == ["openai"]
    assert "set OPENAI_ADMIN_KEY to an admin key" in next(line for line in lines if line.startswith("mend"))
    assert wrong not in done.stdout + done.stderr
    assert homes.files_that_hold(home, [wrong]) == []


def test_doctor_tells_of_a_refused_batch_until_its_day_has_passed(tmp_path: Path) -> None:
    write_starter(tmp_path)
    findings = tmp_path / "quarantine" / "probe" / "things" / "dt=2026-06-01" / "0123abcd" / "findings.json"
    findings.parent.mkdir(parents=True)
    findings.write_text("[]")
    ok, sentence = told(tmp_path)["quarantine"]
    assert not ok and sentence.startswith("1 refused batch waits") and str(findings.relative_to(tmp_path)) in sentence
    findings.with_name("mended.json").write_text("{}")
    assert "quarantine" not in told(tmp_path)


def test_an_answer_has_one_format(tmp_path: Path) -> None:
    done = run_jevons(tmp_path, "sql", "select 1", "--csv", "--json", check=False)
    assert done.returncode == 2 and "give --csv or --json, not both" in done.stderr and not done.stdout


def test_the_sandbox_says_that_its_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run_jevons(tmp_path, "sandbox", "serve", "--port", port, check=False)
    assert done.returncode == 1
    assert f"The sandbox cannot listen (127.0.0.1:{port})" in done.stderr and "give another --port" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_the_sandbox_prints_is_all_that_another_terminal_needs(tmp_path: Path) -> None:
    home = tmp_path / "a sandbox"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = subprocess.Popen(
        [str(JEVONS), "sandbox", "serve", "--port", str(port)], env={**os.environ, "JEVONS_HOME": str(home)},
        text=True, stdout=subprocess.PIPE,
    )
    try:
        lines = []
        while not lines or "materialize" not in lines[-1]:
            lines.append(next(serving.stdout).strip())
        exported = [shlex.split(line)[1].partition("=") for line in lines if line.startswith("export")]
        found = subprocess.run(
            [str(JEVONS), "doctor"], env={**os.environ, **{name: value for name, _, value in exported}},
            capture_output=True, text=True, check=False, timeout=60,
        )
    finally:
        serving.send_signal(signal.SIGINT)
    assert serving.wait(10) == 0
    assert found.returncode == 0 and str(home) in found.stdout, found.stdout
    assert lines[-1].split()[:2] == ["jevons", "materialize"]


def test_doctor_of_nothing_says_where_to_begin(tmp_path: Path) -> None:
    ok, sentence = told(tmp_path)["settings"]
    assert not ok and "run `jevons init`" in sentence
    write_starter(tmp_path)
    found = told(tmp_path)
    assert found["settings"][0] and found["published"][0]
    assert found["sources"] == (
        False, f"none is switched on; uncomment the ones you have in {tmp_path / 'jevons.toml'}")


# Dagster's own pages


def test_dev_opens_dagster_with_the_daily_schedule(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path / "dev.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(JEVONS), "dev", "--port", str(port)], env={**os.environ, **environ(tmp_path)}, stdout=out, stderr=out,
            start_new_session=True,
        )
    # asked without the location's name, which is that of the folder the repository was cloned into
    question = """{ repositoriesOrError { ... on RepositoryConnection {
        nodes { schedules { name cronSchedule } } } } }"""
    try:
        found, deadline = None, time.monotonic() + 120
        while not found and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.5)
            with suppress(requests.RequestException):
                answer = requests.post(f"http://127.0.0.1:{port}/graphql", json={"query": question}, timeout=20).json()
                nodes = answer["data"]["repositoriesOrError"].get("nodes") or []
                found = [schedule for node in nodes for schedule in node["schedules"]]
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    assert found == [{"name": "daily", "cronSchedule": "30 5 * * *"}], log.read_text()
    assert (tmp_path / "dagster" / "schedules").is_dir()
