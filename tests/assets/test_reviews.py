"""As a team lead would: the review that is owed, its answer, the audit trail; and the ceiling that a saving lowers."""

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner

from assets.cli import app
from assets.decomposition import MACROS, render
from pipelines import snapshot
from pipelines.registry.export import current_rows
from pipelines.registry.terminal import registry
from pipelines.sandbox.stories import DATA_FROM

CHANGE, CUT = "detected:claims-triage:2026-07-15", "shorter-call-summaries"
BY = ("--by", "Head of Claims France", "--reason", "Calls doubled, outcomes did not")


@pytest.fixture
def lead(demo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Runs a command on a copy of the demo's registry and published build, as a terminal of 240 columns would."""
    shutil.copytree(demo_home / "published", tmp_path / "published")
    shutil.copy(demo_home / "registry.sqlite", tmp_path)
    monkeypatch.setenv("JEVONS_HOME", str(tmp_path))
    monkeypatch.delenv("JEVONS_REGISTRY_URL", raising=False)
    return lambda *words: CliRunner().invoke(app, words)


def test_the_roll_out_is_detected_and_its_review_is_owed(demo_home):
    rows = snapshot.current(demo_home).query("""
        select change.change_id, change.origin, change.after_30_energy_change_ratio > 0 as is_more,
            change.after_30_intensity_change_ratio < -0.4 as is_better, review.status, ratchet.status as said
        from fct_efficiency_change as change
        inner join fct_workload_review as review on change.change_id = review.change_id and review.after_days = 30
        inner join fct_ratchet_proposal as ratchet on change.change_id = ratchet.change_id
        where change.change_date = '2026-07-15' order by 1
    """).to_pylist()
    assert [row.pop("change_id") for row in rows] == [
        f"detected:{workflow}:2026-07-15" for workflow in ("care-chat-assist", "claims-de-triage", "claims-triage")]
    assert rows == 3 * [{
        "origin": "detected", "is_more": True, "is_better": True, "status": "owed", "said": "not reviewed"}]
    # what was declared and seen is one entry; a key that was handed over is seen, too; nothing else is
    rows = snapshot.current(demo_home).query("""
        select change_id, detected_date = change_date as is_seen from fct_efficiency_change
        where change_date <> '2026-07-15' order by 1 desc
    """).to_pylist()
    assert rows == [{"change_id": CUT, "is_seen": True},
                    {"change_id": "detected:care-knowledge-search:2026-08-01", "is_seen": True}]


def test_a_review_that_is_owed_is_read_answered_and_closed(lead):
    owed = lead("reviews", "list", "--team", "claims-fr").stdout
    assert CHANGE in owed and "owed" in owed and "care-chat-assist" not in owed
    shown = lead("reviews", "show", CHANGE).stdout
    for told in ("What changed", "What expanded", "What is measured", "What was retired", "claim_triaged",
                 "openai/gpt-5.4-mini", "After 90 days"):
        assert told in shown
    assert lead("reviews", "answer", CHANGE, "--after", "30", "--outcome", "cap", *BY).exit_code == 0
    assert lead("reviews", "list", "--team", "claims-fr").stdout == "No review is owed.\n"
    closed = lead("reviews", "show", CHANGE).stdout
    assert "answered" in closed and "outcome cap" in closed and BY[-1] in closed
    trail = lead("registry", "history", CHANGE).stdout
    assert "changes" in trail and "detected" in trail and "reviews" in trail and BY[1] in trail and BY[-1] in trail
    # another answer stands beside the first
    assert lead("reviews", "answer", CHANGE, "--after", "30", "--outcome", "retire", *BY).exit_code == 0
    trail = lead("registry", "history", CHANGE).stdout
    assert "cap" in trail and "retire" in trail


def test_what_is_not_known_is_told_apart_from_nothing(lead):
    shown = lead("reviews", "show", CUT).stdout
    done, ahead = shown.split("After 90 days")
    assert "before_retry_count not known" in done and "before_background_call_count not known" in done
    assert "What was retired: nothing\n" in done and "What was retired: not known\n" in ahead
    assert "What changed: gap_reason not_yet\n" in ahead and "What was decided: nothing yet\n" in ahead
    lost = lead("reviews", "list", "--team", "claims-it")
    assert lost.exit_code == 1 and "no such team (claims-it)" in lost.output


@pytest.mark.parametrize(("words", "said"), [
    ((CHANGE, "--after", "60", "--outcome", "cap", *BY), "write 30 or 90"),
    ((CHANGE, "--after", "90", "--outcome", "cap", *BY), "it falls due on 2026-10-13"),
    (("nothing", "--after", "30", "--outcome", "cap", *BY), "jevons reviews list"),
    ((CHANGE, "--after", "30", "--outcome", "cap", "--by", "Head", "--reason", " "), "--reason"),
])
def test_what_is_no_answer_is_refused(lead, words, said):
    done = lead("reviews", "answer", *words)
    assert done.exit_code == 1 and said in done.output
    assert CHANGE in lead("reviews", "list", "--team", "claims-fr").stdout


def test_the_ratchet_proposes_lowers_once_and_is_on_record(lead):
    proposed = lead("ratchet", "list").stdout
    assert CUT in proposed and "care-energy-2026-q3" in proposed and "1050" in proposed
    refused = lead("ratchet", "adopt", CHANGE, "--by", "Unit", "--reason", "Try")
    assert refused.exit_code == 1 and "not reviewed" in refused.output
    done = lead("ratchet", "adopt", CUT, "--by", "Unit management", "--reason", "Saved since July")
    assert done.exit_code == 0 and "instead of 1050" in done.stdout
    limit = done.stdout.split("binds at ")[1].split(" ")[0]
    assert 1000 < float(limit) < 1050
    assert limit in lead("ceilings", "list").stdout
    assert lead("ratchet", "list").stdout.startswith("Nothing is proposed.")
    again = lead("ratchet", "decline", CUT, "--by", "Unit management", "--reason", "Too low")
    assert again.exit_code == 1 and "adopted" in again.output
    trail = lead("registry", "history", CUT).stdout
    assert "ratchets" in trail and "Saved since July" in trail and "hand_back" in trail


def test_declining_needs_a_reason_and_leaves_the_ceiling(lead):
    assert lead("ratchet", "decline", CUT, "--by", "Unit management").exit_code == 2
    done = lead("ratchet", "decline", CUT, "--by", "Unit management", "--reason", "Autumn brings twice the calls")
    assert done.exit_code == 0 and "stays at 1050" in done.stdout
    assert lead("ratchet", "list").stdout.startswith("Nothing is proposed.")
    assert "Autumn brings twice the calls" in lead("registry", "history", CUT).stdout


def test_what_the_sandbox_has_to_show(demo_home):
    """The roll-out of day 45 is detected, its review is owed, its claim is offset by volume; the ratchet proposes."""
    build = snapshot.current(demo_home)
    roll_out = DATA_FROM + timedelta(days=44)
    (found,) = build.query(f"""
        select change.change_date, change.detected_date, change.seen_date, review.due_date, review.as_of_date,
            review.status, review.owner, docket.verdict, docket.tested_first_date
        from fct_efficiency_change as change
        inner join fct_workload_review as review on change.change_id = review.change_id and review.after_days = 30
        inner join fct_claim_docket as docket
            on change.workflow_ids = docket.perimeter_id and docket.perimeter_type = 'workflow'
        where change.change_id = 'detected:care-chat-assist:{roll_out}'
    """).to_pylist()
    assert found["change_date"] == found["detected_date"] == found["tested_first_date"] == roll_out < found["seen_date"]
    assert found["due_date"] == roll_out + timedelta(days=30) < found["as_of_date"] and found["status"] == "owed"
    assert found["owner"] == "Head of Customer Care" and found["verdict"] == "offset by volume"
    # the figure, from the days themselves: one factor, so the low ends and the high ends are compared with each other
    (proposed,) = build.query("select * from fct_ratchet_proposal where status = 'proposed'").to_pylist()
    day = date(2026, 7, 10)
    (ends,) = build.query(f"""
        select sum(case when usage_date < date '{day}' then energy_kwh_low else -energy_kwh_low end) as low,
            sum(case when usage_date < date '{day}' then energy_kwh_high else -energy_kwh_high end) as high,
            count(distinct factor_id) as factors
        from fct_footprint_daily
        where workflow_id = 'care-voice-summaries'
            and usage_date between date '{day}' - 28 and date '{day}' + 27
    """).to_pylist()
    assert proposed["change_id"] == CUT and ends["factors"] == 1
    low = min(ends["low"], ends["high"])
    assert proposed["saved_energy_kwh_low"] == low > 0
    of_period = low * (date(2026, 10, 1) - day).days / 28  # what is left of the quarter from the change on
    assert abs(proposed["saving_kwh"] - of_period) < Decimal("1e-9")
    assert proposed["proposed_limit_kwh"] == proposed["limit_kwh"] - proposed["saving_kwh"]


def test_what_was_answered_is_closed_in_the_next_build(lead, demo_home, tmp_path, monkeypatch):
    """The registry is landed again, and the mart's own statement is run beside the warehouse of the demo."""
    assert lead("reviews", "answer", CHANGE, "--after", "30", "--outcome", "hand_back", *BY).exit_code == 0
    with registry(None) as engine:
        rows = current_rows(engine)["reviews"]
    landed = pa.Table.from_pylist(rows).select(["review_id", "change_id", "after_days", "outcome", "decided_by",
                                                "decided_at_utc", "reason"])
    whole = yaml.safe_load((MACROS.parent / "dbt_project.yml").read_text("utf-8"))["vars"]
    with duckdb.connect() as duck:
        duck.execute(f"set file_search_path = '{demo_home}'")
        duck.execute(f"attach '{demo_home}/warehouse/jevons.duckdb' as built (read_only)")
        duck.execute("use built")
        duck.register("stg_registry__reviews", landed)
        for name in ("fct_workload_review", "fct_ratchet_proposal"):
            text = (MACROS.parent / "models" / "marts" / "whole" / f"{name}.sql").read_text("utf-8")
            duck.register(name, duck.sql(render(text, ref=str, var=whole.get)).to_arrow_table())
        answered = duck.execute("""
            select after_days, status, outcome, decided_by, reason from fct_workload_review
            where change_id = ? order by 1
        """, [CHANGE]).fetchall()
        said = duck.execute("select status, outcome from fct_ratchet_proposal where change_id = ?", [CHANGE]).fetchall()
    assert answered == [(30, "answered", "hand_back", BY[1], BY[3]), (90, "not yet due", None, None, None)]
    assert said == [("nothing to hand back", "hand_back")]
