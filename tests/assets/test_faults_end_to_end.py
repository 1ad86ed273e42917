"""Vendors and files that misbehave, one by one: one clear sentence each, nothing lost, and no secret anywhere.

Most faults are looked at where records land; one run takes several at once through the whole job.
"""

import csv
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import homes
import pytest
from homes import FIRST, LAST, NEXT, SECRETS, land
from support import run_jevons

from pipelines import snapshot
from pipelines.http import Client
from pipelines.sandbox import faults
from pipelines.sandbox.faults import Rule
from pipelines.sandbox.server import SandboxServer

Misbehave = Callable[..., SandboxServer]
USAGE, GRID = "/usage/completions", "/carbon-intensity"
COMPLETIONS, INTENSITY, CALLS = "openai/completions", "electricity_maps/carbon_intensity", "call_log/calls"


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the clients would have waited."""
    waited: list[float] = []
    for source in ("_admin_api", "electricity_maps"):
        monkeypatch.setattr(f"pipelines.sources.{source}.Client", partial(Client, sleep=waited.append))
    return waited


def landed(home: Path, table: str) -> dict[str, str]:
    """What lies in raw/ of one table; the empty file that keeps views readable is none of it."""
    return {name: digest for name, digest in homes.hashes(home / "raw" / table).items() if "1970" not in name}


def held(home: Path, table: str) -> dict[str, list[dict[str, str]]]:
    """Day to the findings in quarantine; beside each lies the batch."""
    found = {}
    for path in (home / "quarantine" / table).glob("*/*/findings.json"):
        assert (path.parent / "part.parquet").is_file()
        found[path.parent.parent.name] = json.loads(path.read_text("utf-8"))
    return found


# What cannot be read at all: one sentence, nothing in quarantine, everything that was landed stays


@pytest.mark.parametrize(("table", "rule", "said"), [
    (COMPLETIONS, Rule(USAGE, faults.status(401, {"error": {"message": f"Incorrect API key: {homes.KEY}"}})),
     ["OpenAI refused the request", "the key was refused", "set OPENAI_ADMIN_KEY to a key that may read this"]),
    (COMPLETIONS, Rule(USAGE, faults.retry_after(3)), ["OpenAI could not be read", "429", "5 times"]),
    (COMPLETIONS, Rule(USAGE, faults.status(500)), ["OpenAI could not be read", "it answered 500", "5 times"]),
    (COMPLETIONS, Rule(USAGE, faults.truncated()), ["OpenAI could not be read", "not whole JSON"]),
    (COMPLETIONS, Rule(USAGE, faults.reset_mid_body()), ["OpenAI could not be read", "5 times"]),
    (COMPLETIONS, Rule(USAGE, faults.changed(faults.repeat_cursor())), ["OpenAI", "page"]),
    (COMPLETIONS, Rule(USAGE, faults.changed(faults.bucket_outside())),
     ["OpenAI sent a bucket that was not asked for", "it is not inside 2026-06-03 to 2026-06-04"]),
    (INTENSITY, Rule(GRID, faults.changed(faults.wrong_zone("IS"))),
     ["Electricity Maps answered for another zone", "IS came", "correct the zone in [sites] of jevons.toml"]),
], ids=["wrong key, echoed", "429", "500", "truncated", "reset", "cursor", "bucket outside", "wrong zone"])
def test_what_cannot_be_read_leaves_what_was_landed(
    home: Path, faulty: Misbehave, naps: list[float], table: str, rule: Rule, said: list[str]
) -> None:
    before = landed(home, table)
    faulty(rule)
    told = land([table], LAST, NEXT)[table]
    assert told["passed"] is False and told["landed"] is False
    sentence = told["error"]
    assert all(part in sentence for part in said), sentence
    assert sentence.endswith(".") and "\n" not in sentence and len(sentence) < 600
    assert not any(secret in sentence for secret in SECRETS)
    assert landed(home, table) == before and held(home, table) == {}


def test_a_vendor_that_asks_to_wait_is_given_its_time(home: Path, faulty: Misbehave, naps: list[float]) -> None:
    server = faulty(
        Rule(USAGE, faults.retry_after(7), nth=1), Rule(USAGE, faults.status(503), nth=2),
        Rule(USAGE, faults.truncated(), nth=3),
    )
    told = land([COMPLETIONS], LAST, NEXT)[COMPLETIONS]
    assert told["passed"] is True and told["days_changed"] == 1  # the 4th is new, the 3rd is as it was
    assert naps[0] == 7.0 and len(naps) == 3
    assert len([r for r in server.requests if USAGE in r.path]) == 4


# What can be read and may not pass: that day waits in quarantine with all findings, the days beside it land


@pytest.mark.parametrize(("table", "path", "mutate", "said"), [
    (COMPLETIONS, USAGE, [faults.negative()], ["input_tokens must be at least 0"]),
    (COMPLETIONS, USAGE, [faults.fractional()], ["output_tokens", "whole number"]),
    (COMPLETIONS, USAGE, [faults.unknown_field()], ["sandbox_surprise"]),
    (COMPLETIONS, USAGE, [faults.negative("output_tokens"), faults.negative("num_model_requests")],
     ["output_tokens must be at least 0", "num_model_requests must be at least 0"]),
    (INTENSITY, GRID, [faults.set_field("datetime", lambda old: old.rstrip("Z").removesuffix("+00:00"), every=20)],
     ["is not an instant with a time zone"]),
], ids=["negative", "fractional", "unknown column", "all findings", "naive timestamp"])
def test_a_bad_batch_waits_in_quarantine_with_all_findings(
    home: Path, faulty: Misbehave, naps: list[float], table: str, path: str, mutate: list, said: list[str]
) -> None:
    before = landed(home, table)
    faulty(Rule(path, faults.changed(*mutate)))
    told = land([table], NEXT, NEXT)[table]
    assert told["passed"] is False and told["days_quarantined"] == [str(NEXT)]
    sentences = " ".join(told["findings"])
    assert all(part in sentences for part in said), sentences
    kept = held(home, table)
    assert list(kept) == [f"dt={NEXT}"]
    assert all(part in json.dumps(kept, ensure_ascii=False) for part in said)
    assert landed(home, table) == before


def test_a_list_that_repeats_an_item_counts_it_once(home: Path, faulty: Misbehave) -> None:
    before = landed(home, "openai/projects")["part.parquet"]
    faulty(Rule("/organization/projects", faults.changed(faults.duplicate_record())))
    told = land(["openai/projects"], NEXT, NEXT)["openai/projects"]
    assert told["passed"] is True and told["rows"] == 14  # the sandbox has 14 projects, one page was given 15 items
    assert landed(home, "openai/projects")["part.parquet"] == before


def rewrite(home: Path, day: object, change: Callable[[list[dict[str, str]]], object]) -> None:
    """Changes the rows of one day's call log."""
    path = home / "inbox" / "calls" / f"{day}.csv"
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    change(rows)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*reader.fieldnames, *(set(rows[0]) - set(reader.fieldnames))])
        writer.writeheader()
        writer.writerows(rows)


def _two_payloads(rows: list[dict[str, str]]) -> None:
    rows.append({**rows[0], "output_tokens": str(int(rows[0]["output_tokens"]) + 1)})


def _naive(rows: list[dict[str, str]]) -> None:
    rows[5]["timestamp"] = rows[5]["timestamp"].rstrip("Z")


def _late_type_change(rows: list[dict[str, str]]) -> None:
    """After 30,000 lines, more than any sniffer looks at, a count becomes a word."""
    whole = [{**rows[n % len(rows)], "id": f"copy-{n}"} for n in range(30_000)]
    rows[:] = [*whole, {**rows[0], "id": "late", "input_tokens": "n/a"}]


def _negative(rows: list[dict[str, str]]) -> None:
    rows[3]["input_tokens"] = "-4"


def _fractional(rows: list[dict[str, str]]) -> None:
    rows[3]["output_tokens"] = "12.5"


def _unknown_column(rows: list[dict[str, str]]) -> None:
    for row in rows:
        row["prompt"] = "x"


@pytest.mark.parametrize(("change", "said"), [
    (_two_payloads, ["1 id stands for different records"]),
    (_naive, ["timestamp", "time zone"]),
    (_late_type_change, ["input_tokens", "n/a"]),
    (_negative, ["input_tokens"]),
    (_fractional, ["output_tokens", "12.5"]),
], ids=["two payloads", "naive", "late type change", "negative", "fractional"])
def test_a_bad_file_holds_its_own_day_back_and_no_other(home: Path, change: Callable, said: list[str]) -> None:
    before = landed(home, CALLS)
    rewrite(home, LAST, change)
    told = land([CALLS], LAST, NEXT)[CALLS]
    assert told["passed"] is False and told["days_quarantined"] == [str(LAST)], told
    sentences = " ".join(told["findings"])
    assert all(part in sentences for part in said), sentences
    assert list(held(home, CALLS)) == [f"dt={LAST}"]
    after = landed(home, CALLS)
    assert {name: after[name] for name in before} == before  # the bad day keeps its earlier version
    assert f"dt={NEXT}/part.parquet" in after  # and the day beside it landed


def test_a_column_that_nobody_declared_is_refused_and_lands_only_where_it_is_left_out(home: Path) -> None:
    """A log may have more columns than Jevons asks for; prompts among them must not travel."""
    before = landed(home, CALLS)
    rewrite(home, NEXT, _unknown_column)
    told = land([CALLS], NEXT, NEXT)[CALLS]
    assert told["passed"] is False, told
    said = " ".join([told.get("error", ""), *told.get("findings", [])])
    assert f"inbox/calls/{NEXT}.csv, header" in said and "columns that are not declared: `prompt`" in said
    assert landed(home, CALLS) == before

    settings = home / "jevons.toml"
    toml = settings.read_text("utf-8")
    left_out = toml.replace("[sources.call_log]", '[sources.call_log]\nignore_columns = ["prompt"]')
    settings.write_text(left_out, "utf-8")
    assert land([CALLS], NEXT, NEXT)[CALLS]["passed"] is True
    part = home / "raw" / CALLS / f"dt={NEXT}" / "part.parquet"
    assert b"prompt" not in part.read_bytes()


# Through the whole job


def test_a_run_with_faults_publishes_what_is_good_and_says_what_is_not(
    home: Path, small_home: Path, faulty: Misbehave
) -> None:
    faulty(
        Rule(USAGE, faults.status(401, {"error": {"message": f"Incorrect API key provided: {homes.KEY}"}})),
        Rule(GRID, faults.changed(faults.wrong_zone("IS"))),
    )
    rewrite(home, LAST, _late_type_change)
    before = {table: landed(home, table) for table in (COMPLETIONS, INTENSITY, CALLS)}
    done = run_jevons(home, "materialize", "--from", str(LAST), "--to", str(NEXT), check=False, **homes.environ(home))
    assert done.returncode == 3, done.stderr
    refused = [line for line in done.stderr.splitlines() if line.startswith("refused")]
    assert list(dict.fromkeys(line.split(":")[0] for line in refused)) == [
        "refused call log calls", "refused electricity maps carbon intensity", "refused openai completions",
    ]
    assert "the key was refused" in refused[-1] and all(line.endswith(".") for line in refused)
    assert "published build" in done.stdout

    for table in (COMPLETIONS, INTENSITY):
        assert landed(home, table) == before[table]
    assert list(held(home, CALLS)) == [f"dt={LAST}"]
    build, earlier = snapshot.current(home), snapshot.current(small_home)
    assert snapshot.verify(build) == [] and build.build_id != earlier.build_id
    calls = "select sum(call_count) as n from fct_footprint_daily where source = '{}' and usage_date = date '{}'"
    assert build.query(calls.format("call_log", LAST)).to_pylist() == earlier.query(
        calls.format("call_log", LAST)).to_pylist()  # the day that was refused is as it was
    assert build.query(calls.format("call_log", NEXT)).to_pylist()[0]["n"] > 1000
    coverage = build.query(f"""
        select received_tables, expected_tables from fct_coverage_daily
        where source = 'openai' and usage_date = date '{NEXT}'
    """).to_pylist()
    assert coverage == [{"received_tables": 2, "expected_tables": 3}]

    print(done.stderr)
    assert homes.KEY not in done.stdout + done.stderr
    assert homes.files_that_hold(home, SECRETS) == []


def test_no_secret_is_written_by_a_run_in_which_all_is_well(small_home: Path) -> None:
    assert (small_home / "dagster" / "history").is_dir() and (small_home / "dagster" / "last_run.log").is_file()
    assert homes.files_that_hold(small_home, SECRETS) == []
    assert homes.files_that_hold(small_home, ["sk-admin"]) == []


def test_the_search_for_secrets_finds_one(small_home: Path, tmp_path: Path) -> None:
    shutil.copytree(small_home / "dagster", tmp_path / "dagster")
    (tmp_path / "dagster" / "x.db").write_bytes(b"\0" * 100 + homes.KEY.encode() + b"\0")
    assert homes.files_that_hold(tmp_path, SECRETS) == ["dagster/x.db"]


def test_the_days_of_these_tests_are_what_they_say(small_home: Path) -> None:
    days = {path.name for path in (small_home / "raw" / CALLS).glob("dt=2026*")}
    assert days == {f"dt={FIRST + timedelta(days=n)}" for n in range(3)}
    assert (small_home / "inbox" / "calls" / f"{NEXT}.csv").is_file()
