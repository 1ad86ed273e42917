"""Promises of the gate: the limit binds, essential work passes, nobody overshoots, and what is not known is said."""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
import types
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from gate_home import NOW, ceiling, gate_home, rule
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import ROOT

from pipelines import snapshot
from pipelines.errors import JevonsError
from pipelines.gate import Gate, command, decide
from pipelines.gate.file import CLASSES, answer, signed, steps_of
from pipelines.gate.settings import GateSettings, load_gate
from pipelines.gate.writing import beside


def verdicts(gate: Gate, now: datetime = NOW, calls: int = 0) -> dict[str, str]:
    return {name: gate.decide(f"w-{name}", now, calls).verdict for name in CLASSES}


def test_a_used_up_limit_stops_all_but_essential_work_without_any_rule(tmp_path):
    gate_home(tmp_path, [ceiling(used="100")])
    assert verdicts(Gate(tmp_path)) == {
        "essential": "allow", "useful": "deny", "comfort": "deny", "experimental": "deny"}
    gate_home(tmp_path, [ceiling(used="99")])
    assert set(verdicts(Gate(tmp_path)).values()) == {"allow"}


def test_rules_act_before_the_limit_and_the_strictest_wins(tmp_path):
    rules = [
        rule("slow-comfort", "comfort", "slow", "0.8"), rule("batch-comfort", "comfort", "batch", "0.9"),
        rule("small-useful", "useful", "smaller_model", "0.9"), rule("stop-experiments", "experimental", "stop", "0.9"),
        rule("energy", "useful", "stop", "0", metric="energy_kwh"),
    ]
    gate_home(tmp_path, [ceiling(), ceiling("calm", used="0")], rules)
    gate = Gate(tmp_path)
    assert verdicts(gate) == {"essential": "allow", "useful": "slow", "comfort": "slow", "experimental": "deny"}
    found = gate.decide("w-comfort", NOW, 0)
    assert (found.action, found.rule_id, found.ceiling_id) == ("batch", "batch-comfort", "org-requests")
    assert found.reason == ("org-requests: 90 of 100 requests of organisation/organisation are used, and comfort work"
                            " is batched from 90 % on by rule batch-comfort")
    assert gate.decide("w-useful", NOW, 0).action == "smaller_model"


def test_only_ceilings_around_the_workflow_and_of_this_day_count(tmp_path):
    gate_home(tmp_path, [
        ceiling("other", perimeter="team/other", used="100"),
        ceiling("mine", perimeter="workflow/w-comfort", used="100"),
        ceiling("past", used="100", period_start="2026-05-01", period_end="2026-06-10"),
        ceiling("coming", limit="0", used="0", period_start="2026-06-11"),
    ])
    gate = Gate(tmp_path)
    assert verdicts(gate) == {"essential": "allow", "useful": "allow", "comfort": "deny", "experimental": "allow"}
    assert gate.decide("w-useful", NOW + timedelta(days=1), 0).ceiling_id == "coming"


def test_a_service_counts_where_the_provider_is_told(tmp_path):
    gate_home(tmp_path, [ceiling("bought", perimeter="service/openai", used="98")])
    gate = Gate(tmp_path)
    found = [gate.decide("w-useful", NOW, provider=provider).verdict
             for provider in (None, "openai", "mistral", "openai", "openai", None)]
    assert found == ["allow"] * 4 + ["deny", "allow"]  # 98 + 2 of 100; only calls that named it were counted
    assert gate.decide("w-essential", NOW, provider="openai").verdict == "allow"
    line, = (tmp_path / "gate/denied/2026-06-10.jsonl").read_text().splitlines()
    assert json.loads(line)["provider"] == "openai" and len(json.loads(line)["denial_id"]) == 32


def test_a_rule_for_a_perimeter_makes_its_work_stricter_and_no_other(tmp_path):
    rules = [
        rule("team", "useful", "slow", "0.5", perimeter="team/claims"),
        rule("elsewhere", "useful", "stop", "0", perimeter="team/other"),
        rule("bought", "useful", "stop", "0.5", perimeter="service/openai"),
        rule("all", "comfort", "slow", "0.95"),
    ]
    gate_home(tmp_path, [ceiling()], rules)
    gate = Gate(tmp_path)
    found = gate.decide("w-useful", NOW, 0)
    assert (found.verdict, found.rule_id, found.ceiling_id) == ("slow", "team", "org-requests")
    assert gate.decide("w-useful", NOW, 0, "openai").rule_id == "bought"
    assert gate.decide("w-comfort", NOW, 0).verdict == "allow"
    assert gate.decide("unknown", NOW, 0).verdict == "allow"  # outside the team


def test_work_that_nobody_declared_is_the_first_to_stop(tmp_path):
    gate_home(tmp_path, [ceiling()], [rule("r", "experimental", "stop", "0.5")])
    for name in ("orphan", "never-heard-of"):
        found = Gate(tmp_path).decide(name, NOW, 0)
        assert (found.verdict, found.usefulness_class) == ("deny", None)
        assert "undeclared work, treated as experimental, is stopped from 50 % on by rule r" in found.reason


def test_calls_are_counted_until_a_build_has_seen_the_day(tmp_path):
    gate_home(tmp_path, [ceiling()])
    gate = Gate(tmp_path)
    # 90 are used: ten more fit
    answers = [gate.decide("w-useful", NOW).verdict for _ in range(15)]
    assert answers == ["allow"] * 10 + ["deny"] * 5
    assert Gate(tmp_path).decide("w-comfort", NOW).verdict == "deny"  # another process counts on
    assert gate.decide("w-essential", NOW).verdict == "allow"
    # a new build that has not seen today: nothing that was let through is forgotten, 10 + 1 of 102 - 90 are gone
    gate_home(tmp_path, [ceiling(limit="102")], build="f" * 16)
    assert [gate.decide("w-useful", NOW).verdict for _ in range(2)] == ["allow", "deny"]
    # a build that has seen today holds these calls itself, so that they are not counted twice
    gate_home(tmp_path, [ceiling(used="98")], build="e" * 16, data_to="2026-06-10")
    tomorrow = NOW + timedelta(days=1)
    assert [gate.decide("w-useful", tomorrow).verdict for _ in range(3)] == ["allow", "allow", "deny"]


def test_energy_moves_between_builds_by_what_a_call_took_on_average(tmp_path):
    gate_home(tmp_path, [ceiling(metric="energy_kwh", limit="1", used="0.98", per_call="0.006")])
    gate = Gate(tmp_path)
    # 0.98, 0.986, 0.992, 0.998 are below 1, 1.004 is not: the overshoot is less than one call's
    assert [gate.decide("w-useful", NOW).verdict for _ in range(6)] == ["allow"] * 4 + ["deny"] * 2


def test_many_calls_at_once_are_let_through_only_if_the_last_of_them_fits(tmp_path):
    gate_home(tmp_path, [ceiling()])
    gate = Gate(tmp_path)
    assert gate.decide("w-useful", NOW, 11).verdict == "deny"
    assert gate.decide("w-useful", NOW, 10).verdict == "allow"
    assert gate.decide("w-useful", NOW, 1).verdict == "deny"


def test_machines_that_share_no_counts_overshoot_together_by_less_than_their_number(tmp_path):
    admitted = 0
    for machine in ("a", "b", "c"):
        (tmp_path / machine).mkdir()
        gate_home(tmp_path / machine, [ceiling()], settings="[gate]\nmachines_count = 3")
        gate = Gate(tmp_path / machine)
        admitted += sum(gate.decide("w-useful", NOW).verdict == "allow" for _ in range(20))
    assert 10 <= admitted < 10 + 3  # each takes a call for three: 4 x 3 >= 10


def test_threads_do_not_overshoot(tmp_path):
    gate_home(tmp_path, [ceiling(limit="590")])
    gate = Gate(tmp_path)
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: gate.decide("w-useful", NOW).verdict, range(1_000)))
    assert answers.count("allow") == 500


def _admitted(home, asked, start, found):
    gate = Gate(home)
    start.wait(30)
    found.put(sum(gate.decide("w-useful", NOW).verdict == "allow" for _ in range(asked)))


def test_processes_do_not_overshoot(tmp_path, monkeypatch):
    # a child runs its parent's main module, and a test of the pages leaves another one in its place
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    gate_home(tmp_path, [ceiling(limit="690")])
    context = multiprocessing.get_context("spawn")
    start, found = context.Barrier(3), context.Queue()
    started = [context.Process(target=_admitted, args=(tmp_path, 300, start, found)) for _ in range(3)]
    for process in started:
        process.start()
    assert sum(found.get(timeout=60) for _ in started) == 600
    for process in started:
        process.join(30)


def test_a_fork_excludes_its_parent(tmp_path):
    gate_home(tmp_path, [ceiling()])
    gate = Gate(tmp_path)
    gate.decide("w-useful", NOW)
    with gate._counts.alone():
        child = os.fork()
        if child == 0:
            gate._counts._thread._at_fork_reinit()
            gate.decide("w-useful", NOW)
            os._exit(0)
        time.sleep(0.3)
        assert os.waitpid(child, os.WNOHANG) == (0, 0)  # it waits for the lock
    assert os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize(("fail", "other"), [("open", "allow"), ("closed", "deny")])
@pytest.mark.parametrize("trouble", ["stale", "missing", "tampered", "unsigned", "damaged", "of another build"])
def test_a_file_that_cannot_be_trusted_follows_the_configuration(tmp_path, fail, other, trouble):
    # an earlier build says who is essential, and would stop everything else
    gate_home(tmp_path, [ceiling(used="100")], key="k", build="a" * 16)
    settings = f'[gate]\nfail = "{fail}"'
    path = gate_home(tmp_path, [ceiling(used="0")], key=None if trouble == "unsigned" else "k", settings=settings)
    now = NOW
    if trouble == "stale":
        now = NOW + timedelta(hours=48)
        assert Gate(tmp_path, "k").decide("w-useful", now - timedelta(seconds=1), 0).reason.startswith("within")
    elif trouble == "missing":
        path.unlink()
    elif trouble == "tampered":
        path.write_text(path.read_text().replace('"limit": "100"', '"limit": "101"'))
    elif trouble == "damaged":
        path.write_text(path.read_text()[:200])
    elif trouble == "of another build":
        path.write_bytes((tmp_path / "published" / ("a" * 16) / "gate.json").read_bytes())
    gate = Gate(tmp_path, "k")
    assert verdicts(gate, now) == {"essential": "allow", "useful": other, "comfort": other, "experimental": other}
    said = {"stale": "out of date since 2026-06-12T12:00:00", "tampered": "not signed with JEVONS_GATE_KEY",
            "unsigned": "not signed with JEVONS_GATE_KEY"}.get(trouble, trouble)
    assert said in gate.decide("w-useful", now, 0).reason


def test_without_any_file_nobody_is_known_to_be_essential(tmp_path):
    (tmp_path / "jevons.toml").write_text('[gate]\nfail = "closed"')
    assert Gate(tmp_path).decide("w-essential", NOW, 0).verdict == "deny"
    (tmp_path / "jevons.toml").write_text("")
    assert Gate(tmp_path).decide("w-experimental", NOW, 0).verdict == "allow"


def test_counts_that_cannot_be_written_are_a_gate_that_does_not_know(tmp_path):
    gate_home(tmp_path, [ceiling(used="0")], settings='[gate]\nfail = "closed"')
    (tmp_path / "gate").write_text("a file where the folder belongs")
    found = Gate(tmp_path).decide("w-useful", NOW)
    assert found.verdict == "deny" and "calls cannot be counted" in found.reason
    assert Gate(tmp_path).decide("w-essential", NOW).verdict == "allow"


def test_denied_calls_are_recorded_and_counted_nowhere_else(tmp_path):
    gate_home(tmp_path, [ceiling(used="100")])
    gate = Gate(tmp_path)
    gate.decide("w-useful", NOW, 0)  # only asked
    gate.decide("w-useful", NOW, 3)
    gate.decide("w-comfort", NOW)
    gate.decide("w-essential", NOW)
    lines = [json.loads(line) for line in (tmp_path / "gate/denied/2026-06-10.jsonl").read_text().splitlines()]
    assert [(line["workflow_id"], line["calls"], line["usefulness_class"]) for line in lines] == [
        ("w-useful", 3, "useful"), ("w-comfort", 1, "comfort")]
    assert lines[0]["denied_at_utc"] == "2026-06-10T12:00:00+00:00" and lines[0]["ceiling_id"] == "org-requests"
    assert gate._counts.since(date(2026, 6, 1), NOW.date(), "organisation/organisation") == 1  # the essential one


def test_a_change_on_disk_is_seen_at_the_next_question(tmp_path):
    path = gate_home(tmp_path, [ceiling()])
    assert decide(tmp_path, "w-useful", NOW, calls=0).verdict == "allow"
    gate_home(tmp_path, [ceiling(used="1000")])
    assert decide(tmp_path, "w-useful", NOW, calls=0).verdict == "deny"
    path.unlink()
    assert "missing" in decide(tmp_path, "w-useful", NOW, calls=0).reason
    (tmp_path / "jevons.toml").write_text('[gate]\nfail = "closed"')
    assert decide(tmp_path, "w-useful", NOW, calls=0).verdict == "deny"


RULES = st.lists(st.builds(
    rule, st.just("r"), st.sampled_from(CLASSES), st.sampled_from(["slow", "batch", "smaller_model", "stop"]),
    st.integers(0, 100).map(lambda percent: str(Decimal(percent) / 100))), max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)
@given(RULES, st.integers(0, 200), st.integers(0, 200))
def test_more_use_never_gets_a_milder_answer_and_no_rule_extends_a_limit(rules, one, other):
    limit, strictness = Decimal(100), ("allow", "slow", "deny").index
    steps = steps_of("requests", limit, rules)
    assert "essential" not in steps
    for usefulness_class, found in steps.items():
        less, more = (
            max((answer(step) for step in found if used >= step.from_quantity), key=strictness, default="allow")
            for used in sorted((one, other))
        )
        assert strictness(less) <= strictness(more), usefulness_class
        assert max(one, other) < limit or more == "deny"


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=30)
@given(st.text(min_size=1), st.sampled_from(["build_id", "valid_until_utc", "ceilings", "rules", "workflows"]))
def test_a_signature_covers_every_part(key, part):
    body = {"build_id": "b", "valid_until_utc": "v", "ceilings": [1], "rules": [], "workflows": {}}
    one, other = (json.loads(signed(each, key))["signature"] for each in (body, {**body, part: "changed"}))
    assert one != other


@pytest.mark.parametrize(("text", "word"), [
    ('[gate]\nfail = "maybe"', "open or closed"), ("[gate]\nvalid_hours = 0", "whole hours"),
    ("[gate]\nmachines_count = true", "whole number"), ("[gate]\nslow = 1", "nothing reads"),
    ("gate = 1", "section"), ("[gate", "mend"), ("[gate.smaller_models]\nbig = 1", "asked for"),
])
def test_settings_that_cannot_be_are_one_sentence(tmp_path, text, word):
    (tmp_path / "jevons.toml").write_text(text)
    with pytest.raises(JevonsError, match=word):
        load_gate(tmp_path)


WAREHOUSE = """
    create table fct_footprint_daily as select date '2026-06-09' as usage_date;
    create table stg_registry__ceilings (ceiling_id varchar, perimeter_type varchar, perimeter_id varchar,
        metric varchar, period_start date, period_end date, limit_quantity decimal(24,9));
    insert into stg_registry__ceilings values
        ('kwh', 'team', 'claims', 'energy_kwh', '2026-06-01', '2026-07-01', 3),
        ('next', 'team', 'claims', 'requests', '2026-07-01', '2026-10-01', 50),
        ('over', 'team', 'claims', 'requests', '2026-05-01', '2026-06-01', 1);
    create table fct_ceiling_position_daily (ceiling_id varchar, usage_date date, used_quantity decimal(38,9));
    insert into fct_ceiling_position_daily values
        ('kwh', '2026-06-08', 1), ('kwh', '2026-06-09', 2.9999999), ('over', '2026-05-31', 1);
    create table int_perimeter__daily (usage_date date, perimeter_type varchar, perimeter_id varchar, metric varchar,
        used_quantity decimal(38,9));
    insert into int_perimeter__daily values
        ('2026-06-08', 'team', 'claims', 'requests', 10), ('2026-06-09', 'team', 'claims', 'requests', 5),
        ('2026-05-31', 'team', 'claims', 'requests', 700), ('2026-06-09', 'team', 'claims', 'energy_kwh', 2);
    create table stg_registry__gate_rules (gate_rule_id varchar, usefulness_class varchar, action varchar,
        from_ratio decimal(9,8), metric varchar, perimeter_type varchar, perimeter_id varchar, adopted_by varchar,
        review_due_date date, valid_from date, valid_to date);
    insert into stg_registry__gate_rules values
        ('early', 'comfort', 'slow', 0.75, 'energy_kwh', 'team', 'claims', 'Works council', '2027-01-01', '2026-06-10',
            null),
        ('coming', 'comfort', 'stop', 0, null, null, null, 'Works council', '2027-01-01', '2026-06-14', null),
        ('ended', 'comfort', 'stop', 0, null, null, null, 'Works council', '2027-01-01', '2026-01-01', '2026-06-10'),
        ('far', 'useful', 'stop', 0, null, 'team', 'other', 'Works council', '2027-01-01', '2026-01-01', null);
    create table dim_workflow as select * from (values
        ('letters', 'claims', 'comfort', 'care'), ('orphan', 'orphan', null, null))
        as t(workflow_id, team_id, usefulness_class, sector_tag);
    create table dim_team as select * from (values
        ('claims', 'insurance', 'FRA'), ('orphan', null, null)) as t(team_id, unit_id, country);
"""
FACTS = {"organisation": "Probe", "sandbox": False, "data_from": None, "data_to": None, "factor_sets": [],
         "inputs_sha256": "ab" * 32}


def published(home, key=None, now=NOW):
    warehouse = home / "w.duckdb"
    if not warehouse.exists():
        with duckdb.connect(str(warehouse)) as duck:
            duck.execute(WAREHOUSE)
    write = beside(warehouse, home, GateSettings(), key, now)
    build = snapshot.publish(warehouse, home, ["dim_workflow"], FACTS, write)
    return build, (build.path / "gate.json").read_bytes()


def test_a_build_says_what_is_left(tmp_path):
    build, text = published(tmp_path)
    body = json.loads(text)
    kwh, coming = body["ceilings"]  # the one that is over is gone
    assert kwh == {
        "ceiling_id": "kwh", "perimeter": "team/claims", "metric": "energy_kwh", "period_start": "2026-06-01",
        "period_end": "2026-07-01", "limit": "3", "used": "2.9999999", "remaining": "0.0000001",
        "ratio": "0.999999",  # cut: 1 would say that nothing is left
        "per_call": "0.199999993333333333",  # 2.9999999 kWh by the 15 calls of the period
        "answers": {"essential": "allow", "useful": "allow", "comfort": "slow", "experimental": "allow"},
    }
    assert body["rules"][0] == {  # neither the one to come nor the one that has ended
        "rule_id": "early", "usefulness_class": "comfort", "action": "slow", "from_ratio": "0.75",
        "metric": "energy_kwh", "perimeter": "team/claims", "adopted_by": "Works council",
        "review_due_date": "2027-01-01"}
    assert [rule["rule_id"] for rule in body["rules"]] == ["early", "far"]
    assert coming["answers"]["comfort"] == "allow"
    assert (coming["ceiling_id"], coming["used"], coming["per_call"]) == ("next", "0", "1")
    assert body["workflows"]["letters"] == {"usefulness_class": "comfort", "perimeters": [
        "organisation/organisation", "workflow/letters", "team/claims", "unit/insurance", "country/FRA",
        "sector_tag/care"]}
    assert body["signature"] is None and body["valid_until_utc"] == "2026-06-12T12:00:00+00:00"
    found = decide(tmp_path, "letters", NOW)
    assert (found.build_id, found.verdict, found.rule_id) == (build.build_id, "slow", "early")
    assert snapshot.verify(snapshot.current(tmp_path)) == []
    # one call more than what is left: 2.9999999 + 0.2 > 3
    assert decide(tmp_path, "letters", NOW).verdict == "deny"


def test_an_equal_build_leaves_its_gate_file_alone_while_it_is_believed(tmp_path):
    first, text = published(tmp_path)
    again, same = published(tmp_path, now=NOW + timedelta(hours=47))
    assert again.unchanged and same == text
    later, renewed = published(tmp_path, now=NOW + timedelta(hours=48))
    assert later.build_id == first.build_id and json.loads(renewed)["written_at_utc"] == "2026-06-12T12:00:00+00:00"
    other, elsewhere = published(tmp_path, key="k", now=NOW + timedelta(hours=49))
    assert json.loads(elsewhere)["signature"].startswith("hmac-sha256:")
    assert Gate(tmp_path, "k").decide("letters", NOW, 0).verdict == "slow"
    assert "not signed" in Gate(tmp_path, "another").decide("letters", NOW, 0).reason
    # a ceiling that no mart shows yet
    with duckdb.connect(str(tmp_path / "w.duckdb")) as duck:
        duck.execute("update stg_registry__ceilings set limit_quantity = 40 where ceiling_id = 'next'")
    lowered, changed = published(tmp_path, key="k", now=NOW + timedelta(hours=50))
    assert lowered.unchanged and json.loads(changed)["ceilings"][1]["limit"] == "40"


@pytest.mark.parametrize(("words", "found"), [
    ("gate check --workflow w", ("w", 1, False, None)),
    ("gate check --json --workflow=w --calls 0 --provider openai", ("w", 0, True, "openai")),
    ("gate check --workflow w --provider", None), ("gate check --workflow w --calls", None),
    ("gate check", None), ("gate check --help", None), ("gate check --workflow w --calls x", None),
    ("gate check --workflow", None), ("gate", None), ("sql x", None), ("gate check --workflow --json", None),
])
def test_plain_questions_take_the_short_way(words, found):
    assert command.asked(words.split()) == found


def ask(home, *words, **environ):
    done = subprocess.run(
        [sys.executable, "-c", "from assets.entry import main; main()", "gate", "check", *words], cwd=ROOT, text=True,
        capture_output=True, timeout=60, check=False,
        env={**os.environ, "JEVONS_HOME": str(home), "JEVONS_GATE_KEY": "", "PYTHONPATH": str(ROOT), **environ},
    )
    return done.returncode, done.stdout + done.stderr


def test_the_command_answers_by_exit_code_and_json(tmp_path):
    now = datetime.now(UTC)
    today = {"period_start": "2000-01-01", "period_end": "2200-01-01"}
    where = {"written": now, "data_to": now.date().isoformat(), "key": "k"}
    gate_home(tmp_path, [ceiling(**today)], [rule("r", "comfort", "slow", "0.9")], **where)
    found = ask(tmp_path, "--workflow", "w-useful", JEVONS_GATE_KEY="k")
    assert found == (0, "allow: within every ceiling that covers it\n")
    assert ask(tmp_path, "--workflow", "w-comfort")[0] == 4
    assert "fail = \"open\"" in ask(tmp_path, "--workflow", "w-comfort", JEVONS_GATE_KEY="other")[1]
    gate_home(tmp_path, [ceiling(used="100", **today)], **where)
    code, text = ask(tmp_path, "--workflow", "w-comfort", "--json")
    assert code == 5 and json.loads(text)["verdict"] == "deny" and json.loads(text)["ceiling_id"] == "org-requests"
    (tmp_path / "jevons.toml").write_text("[gate]\nfail = 1")
    code, text = ask(tmp_path, "--workflow", "w-comfort")
    assert code == 1 and text.startswith("Error: A setting of the gate cannot be") and "Traceback" not in text
    assert "--workflow" in ask(tmp_path, "--help")[1]


def test_the_command_loads_nothing_heavy_and_a_call_is_quick(tmp_path):
    gate_home(tmp_path, [ceiling(f"c{n}", limit="100000000") for n in range(20)])
    heavy = "import sys, assets.entry, pipelines.settings; print(sorted({'duckdb', 'pandas'," \
            " 'pyarrow', 'dagster', 'typer', 'sqlalchemy', 'pydantic', 'rich', 'requests'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", heavy], cwd=ROOT, capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.strip() == "[]"
    # of the processor, not of the clock: what else runs on the machine takes no time of the gate's
    took = []
    for _ in range(5):
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        ask(tmp_path, "--workflow", "w-useful", "--provider", "openai")
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime)
    assert 0 < min(took) < 0.2
    gate = Gate(tmp_path)
    gate.decide("w-useful", NOW)
    began = time.process_time()
    for _ in range(500):
        gate.decide("w-useful", NOW, provider="openai")
    assert (time.process_time() - began) / 500 < 0.001
