"""The source `denied_calls`: what the gate wrote is landed by day, once, and a bad line holds back its day only."""

import json
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.gate import Gate
from pipelines.sandbox.denials import FIRST_DAY, UNDECLARED, denied_jsonl
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import denied_calls
from pipelines.window import Window

TWO = ["gate/denied/{date}.jsonl", "inbox/*/{date}.jsonl"]


def land(home, path=None, first="2026-06-10", last="2026-06-11"):
    (home / "scratch").mkdir(exist_ok=True)
    options = {} if path is None else {"path": path}
    context = Context(Settings(home, "Test", False, {"denied_calls": options}, (), (), {}), home / "scratch")
    table = denied_calls.SOURCE.tables[0]
    staged = landing.stage(denied_calls.SOURCE, table, context, Window.of_days(first, last))
    return landing.commit(staged, (), home, datetime(2026, 9, 1, tzinfo=UTC)), context


def landed(home, columns):
    files = home / "raw" / "denied_calls" / "questions" / "*" / "*.parquet"
    return duckdb.sql(f"select {columns} from read_parquet('{files}') order by all").fetchall()


def refused(home, *workflows, now=datetime(2026, 6, 10, 12, tzinfo=UTC), calls=1):
    """What the gate itself writes where it trusts nothing and fails closed."""
    (home / "jevons.toml").write_text('[gate]\nfail = "closed"')
    for name in workflows:
        assert Gate(home).decide(name, now, calls, "acme").verdict == "deny"
    return home / "gate" / "denied" / f"{now.date()}.jsonl"


def test_what_the_gate_writes_is_landed_by_day_and_once(tmp_path):
    now = datetime(2026, 6, 10, 23, 59, 59, tzinfo=UTC)
    file = refused(tmp_path, "w", "w", "who@example.org", now=now, calls=3)
    refused(tmp_path, "v", now=now + timedelta(seconds=1))
    # another machine's copy of the same day, with a line of its own
    (tmp_path / "inbox" / "proxy-2").mkdir(parents=True)
    copied = file.read_text()
    own = copied.splitlines()[0].replace(json.loads(copied.splitlines()[0])["denial_id"], "0" * 32)
    (tmp_path / "inbox" / "proxy-2" / file.name).write_text(copied + own + "\n")
    done, context = land(tmp_path, TWO)
    assert done.findings == [] and done.changed == [date(2026, 6, 10), date(2026, 6, 11)]
    # two questions of one second are two; the same line in two copies is one; no address was ever written down
    assert landed(tmp_path, "usage_date, workflow_id, calls, provider, action, ceiling_id") == [
        (date(2026, 6, 10), "orphan", 3, "acme", "stop", None),
        *[(date(2026, 6, 10), "w", 3, "acme", "stop", None)] * 3,
        (date(2026, 6, 11), "v", 1, "acme", "stop", None)]
    assert "example.org" not in file.read_text()
    assert denied_calls.check(context) == (
        "3 files of denied calls in gate/denied/{date}.jsonl, inbox/*/{date}.jsonl.")
    assert land(tmp_path, TWO)[0].changed == []


def test_a_day_without_a_file_is_a_day_without_a_denial(tmp_path):
    done, context = land(tmp_path)
    assert done.findings == [] and landed(tmp_path, "*") == []
    assert denied_calls.check(context) == "no files of denied calls in gate/denied/{date}.jsonl."


@pytest.mark.parametrize(("change", "said"), [
    (lambda text: text[:-20], "not whole JSON"), (lambda text: text.replace('"calls": 1', '"calls": 0'), "less than 1"),
    (lambda text: text.replace('"verdict"', '"prompt"'), "not known"),
    (lambda text: text.replace('"action": "stop"', '"action": "burn"'), "none of slow"),
    (lambda text: text + text.replace('"calls": 1', '"calls": 2'), ""),
])
def test_a_bad_line_holds_back_its_day_and_no_other(tmp_path, change, said):
    file = refused(tmp_path, "w")
    refused(tmp_path, "v", now=datetime(2026, 6, 11, tzinfo=UTC))
    file.write_text(change(file.read_text()))
    done, _ = land(tmp_path)
    assert {finding.day for finding in done.findings} == {"2026-06-10"} and done.changed == [date(2026, 6, 11)]
    assert any(said in finding.rule for finding in done.findings)


@pytest.mark.parametrize("path", [[], [1], 7, "../{date}.jsonl"])
def test_a_path_that_cannot_be_is_one_sentence(tmp_path, path):
    with pytest.raises(SourceError):
        land(tmp_path, path)


def test_the_sandbox_denies_experiments_in_its_last_weeks(tmp_path):
    folder = tmp_path / "gate" / "denied"
    folder.mkdir(parents=True)
    for number in range(-1, 3):
        day = FIRST_DAY + timedelta(days=number)
        (folder / f"{day}.jsonl").write_text(denied_jsonl(7, day))
    done, _ = land(tmp_path, None, str(FIRST_DAY - timedelta(days=1)), str(FIRST_DAY + timedelta(days=2)))
    assert done.findings == []
    found = landed(tmp_path, "usage_date, workflow_id, usefulness_class")
    assert {day for day, _, _ in found} == {FIRST_DAY + timedelta(days=number) for number in range(3)}
    assert {row[1:] for row in found} == {("synthetic-dialogues", "experimental"), (UNDECLARED, None),
                                          ("model-comparison-lab", "experimental")}
