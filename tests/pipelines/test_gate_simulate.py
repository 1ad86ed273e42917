"""`jevons ceilings simulate` on a small published build: which days, rules and figures, and nothing recorded."""

import csv
import json
from decimal import Decimal

import duckdb
import pytest
from typer.testing import CliRunner

from assets.cli import app
from pipelines import snapshot
from pipelines.gate.simulating import AROUND
from pipelines.registry.drafts import PERIMETER_TYPES
from pipelines.registry.store import default_url, open_registry

# June: 20 essential and 40 experimental calls a day on three days, a GPU job of an hour, an idle machine; a limit of
# 100. The quarter is not over.
WAREHOUSE = """
    create table dim_workflow as select * from (values
        ('triage', 'essential', null), ('lab', 'experimental', 'research'), ('orphan', null, null))
        as t(workflow_id, usefulness_class, sector_tag);
    create table dim_team as select 'claims' as team_id, 'insurance' as unit_id, 'FRA' as country;
    create table fct_footprint_daily as
        select usage_date, workflow_id, team_id, provider, source, lifecycle_stage, gap_reason, call_count,
            (kwh * 0.5)::decimal(24, 9) as energy_kwh_low, kwh::decimal(24, 9) as energy_kwh,
            kwh::decimal(24, 9) * 3 as energy_kwh_high, 400 * kwh::decimal(24, 9) as location_gco2e,
            null::decimal(24, 9) as market_gco2e, call_count * 2 as input_tokens, null::bigint as cached_input_tokens,
            null::bigint as cache_write_input_tokens, call_count as output_tokens, seconds as gpu_seconds,
            null::decimal(24, 9) as cost_usd
        from (values
            ('triage', 'claims', 'openai', 'call_log', 'inference', null, 20, 1, null),
            ('lab', 'claims', 'openai', 'call_log', 'inference', null, 30, 8, null),
            ('lab', 'claims', 'acme', 'call_log', 'inference', 'no_factor', 10, null, null),
            ('lab', 'claims', 'hardware', 'gpu_jobs', 'experiment', null, 0, 5, 3600),
            ('unattributed', 'unattributed', 'hardware', 'gpu_prometheus', 'idle', null, 0, 2, null)
        ) as t(workflow_id, team_id, provider, source, lifecycle_stage, gap_reason, call_count, kwh, seconds)
        cross join (select unnest(range(date '2026-06-28', date '2026-07-02', interval 1 day))::date) as d(usage_date);
    create table fct_ceiling_position_daily as
        select *, date '2026-06-30' as usage_date from (values
            ('june', 'organisation', 'organisation', 'requests', date '2026-06-01', date '2026-07-01', 100.0),
            ('acme', 'service', 'acme', 'requests', date '2026-06-01', date '2026-07-01', 1000),
            ('quarter', 'team', 'claims', 'energy_kwh', date '2026-04-01', date '2026-07-02', 1000),
            ('summer', 'organisation', 'organisation', 'energy_kwh', date '2026-07-01', date '2026-10-01', 40)
        ) as t(ceiling_id, perimeter_type, perimeter_id, metric, period_start, period_end, limit_quantity);
"""
FACTS = {"organisation": "Probe", "sandbox": False, "data_from": None, "data_to": None, "factor_sets": [],
         "inputs_sha256": "ab" * 32}
HEADER = ("gate_rule_id,usefulness_class,action,from_ratio,metric,perimeter_type,perimeter_id,adopted_by,"
          "review_due_date,valid_from\n")
STOP = "lab-stops,experimental,stop,0.9,requests,,,Board,2027-01-01,2027-01-01\n"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    with duckdb.connect(str(home / "w.duckdb")) as duck:
        duck.execute(WAREHOUSE)
    names = ["dim_workflow", "dim_team", "fct_footprint_daily", "fct_ceiling_position_daily"]
    snapshot.publish(home / "w.duckdb", home, names, FACTS)
    return home


@pytest.fixture
def simulate(published, monkeypatch):
    monkeypatch.setenv("JEVONS_HOME", str(published))
    monkeypatch.delenv("JEVONS_REGISTRY_URL", raising=False)

    def run(*words, code=0):
        found = CliRunner().invoke(app, ["ceilings", "simulate", *words], catch_exceptions=False)
        assert found.exit_code == code, found.output + found.stderr
        return found.stdout if code == 0 else found.stderr

    return run


def rules(home, text):
    (home / "tried.csv").write_text(HEADER + text)
    return str(home / "tried.csv")


def test_work_is_placed_in_every_kind_of_perimeter():
    assert {"organisation", "service", *AROUND} == set(PERIMETER_TYPES)


def test_rules_are_tried_on_the_period_that_ended_last_and_not_recorded(published, simulate):
    """The quarter ended on 1 July. 60 calls a day: from 90 on experiments stop, in the middle of 29 June.

    20 of that day's 40 experimental calls are denied and all of 30 June's; on 1 July no ceiling in requests binds: 60
    of 160. Of 8 kWh a day 4 + 8 are denied; 15 of the 60 are acme's, whose energy is unknown. June's 60 essential calls
    and 60 others make 120 of 100. The team's energy: 4 x (1 + 8 + 5) = 56 demanded, 12 denied; 20 is GPU jobs'.
    """
    found = json.loads(simulate("--rules", rules(published, STOP), "--json"))
    assert (found["from_date"], found["to_date"]) == ("2026-06-28", "2026-07-01")
    assert [rule["rule_id"] for rule in found["rules"]] == ["lab-stops"]
    triage, lab = (next(line for line in found["workflows"] if line["workflow_id"] == name)
                   for name in ("triage", "lab"))
    assert (lab["demanded_call_count"], lab["denied_call_count"], lab["stop_from_date"]) == (160, 60, "2026-06-29")
    assert (lab["stop_ceiling_id"], lab["stop_rule_id"]) == ("june", "lab-stops")
    assert lab["denied_unknown_energy_call_count"] == 15
    assert [lab[f"denied_energy_kwh{end}"] for end in ("_low", "", "_high")] == ["6", "12", "36"]
    assert [lab[f"demanded_energy_kwh{end}"] for end in ("_low", "", "_high")] == ["16", "32", "96"]
    assert triage["denied_call_count"] == 0 and triage["denied_energy_kwh"] == "0"
    courses = {course["ceiling_id"]: course for course in found["ceilings"]}
    june = courses["june"]
    assert (june["demanded_quantity"], june["used_quantity"], june["denied_quantity"]) == ("180", "120", "60")
    assert (june["limit_reached_date"], june["demanded_over_date"]) == ("2026-06-29", "2026-06-29")
    assert not june["holds"] and june["essential_quantity"] == "60" and june["essential_over_date"] is None
    assert (courses["quarter"]["demanded_quantity"], courses["quarter"]["used_quantity"]) == ("56", "44")
    assert courses["quarter"]["unasked_quantity"] == "20" and courses["acme"]["demanded_quantity"] == "30"
    assert courses["summer"]["demanded_quantity"] == "16"  # with the idle machine
    # 1 July is the 1st of three months: nothing is known of the rest
    assert "it would have held up to 2026-07-01" in courses["summer"]["sentence"]
    engine = open_registry(default_url(published))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from gate_rules").scalar() == 0
    engine.dispose()


def test_another_limit_is_tried_on_the_period_of_its_ceiling(simulate):
    """June without a rule: 100 is reached on 29 June; with 60, the first day fills it, and essential work passes it."""
    found = json.loads(simulate("--ceiling", "june", "--json"))
    june = next(course for course in found["ceilings"] if course["ceiling_id"] == "june")
    assert (found["to_date"], june["limit_reached_date"]) == ("2026-06-30", "2026-06-29")
    assert june["essential_over_date"] is None
    found = json.loads(simulate("--ceiling", "june", "--limit", "59", "--json"))
    june = next(course for course in found["ceilings"] if course["ceiling_id"] == "june")
    assert (june["limit_quantity"], june["limit_reached_date"], june["essential_over_date"]) == (
        "59", "2026-06-28", "2026-06-30")
    assert "essential work alone passes it on 2026-06-30" in june["sentence"]
    days = json.loads(simulate("--ceiling", "june", "--from", "2026-06-29", "--to", "2026-06-29", "--json"))
    june = next(course for course in days["ceilings"] if course["ceiling_id"] == "june")
    # the day before is taken as it was
    assert (june["demanded_quantity"], days["workflows"][1]["demanded_call_count"]) == ("120", 40)


def test_a_service_is_a_perimeter_of_the_replay(published, simulate):
    """Work at acme stops from 1 of 100 on: all its 30 calls of June but the first, of which a half passes."""
    only = "acme,experimental,stop,0.01,requests,service,acme,Board,2027-01-01,2027-01-01\n"
    found = json.loads(simulate("--ceiling", "june", "--limit", "1000", "--rules", rules(published, only), "--json"))
    lab = next(line for line in found["workflows"] if line["workflow_id"] == "lab")
    # 10 of 1000 are used after a sixth of the first day: 1.67 of 10 calls have passed
    assert lab["denied_call_count"] == 30 - 1


def test_the_table_says_what_stops_and_the_csv_cannot_run(published, simulate):
    text = simulate("--rules", rules(published, STOP))
    assert "june: 180 calls were demanded of 100 calls, above it on 2026-06-29; it would not have held" in text
    assert "stopped from 2026-06-29 by june / lab-stops" in text
    assert "Of 15 denied calls the energy is unknown" in text and "Denied work is no saving" in text
    lines = list(csv.DictReader(simulate("--rules", rules(published, STOP), "--csv").splitlines()))
    assert [(line["workflow_id"], line["denied_call_count"]) for line in lines] == [("triage", "0"), ("lab", "60")]
    assert Decimal(lines[1]["denied_energy_kwh"]) == 12


@pytest.mark.parametrize(("words", "said"), [
    (("--limit", "5"), "give --ceiling too"), (("--ceiling", "none"), "no position of such a ceiling"),
    (("--ceiling", "june", "--limit", "much"), "plain decimal"), (("--rules", "nowhere.csv"), "correct the path"),
    (("--from", "2027-01-01"), "the ledger holds 2026-06-28 to 2026-07-01"),
    (("--rules", "BAD"), "(lab-stops): two rules of this id"), (("--rules", "WORSE"), "above 1"),
])
def test_what_cannot_be_replayed_is_one_sentence(published, simulate, words, said):
    bad = {"BAD": STOP + STOP.replace("0.9", "0.8"), "WORSE": STOP.replace("0.9", "1.2")}
    words = [rules(published, bad[word]) if word in bad else word for word in words]
    text = " ".join(simulate(*words, code=1).split())
    assert said in text and "Traceback" not in text
