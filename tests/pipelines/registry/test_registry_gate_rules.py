"""Rules of the gate: kept as versions, withdrawn but never changed, and refused where they would be no rule."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, text

from pipelines.registry.export import current_rows
from pipelines.registry.importer import import_csv
from pipelines.registry.models import KINDS
from pipelines.registry.store import default_url, open_registry, versions

HEADER = "gate_rule_id,usefulness_class,action,from_ratio,metric,adopted_by,review_due_date,valid_from,valid_to\n"
GOOD = "early,comfort,slow,0.8,requests,Works council,2027-01-01,2026-06-01,\n"


@pytest.fixture
def engine(tmp_path):
    engine = open_registry(default_url(tmp_path))
    yield engine
    engine.dispose()


def imported(engine, folder, rows, reason="Decision 7"):
    (folder / "gate_rules.csv").write_text(HEADER + rows)
    return import_csv(engine, folder / "gate_rules.csv", None, "Office", reason, datetime(2026, 5, 20, tzinfo=UTC))


def test_a_rule_is_kept_in_versions_and_cannot_be_changed(engine, tmp_path):
    assert imported(engine, tmp_path, GOOD).accepted == 1
    assert imported(engine, tmp_path, GOOD).unchanged == 1
    assert imported(engine, tmp_path, GOOD.replace("0.8", "0.7"), "Decision 8").accepted == 1
    with Session(engine) as session:
        one, two = versions(session, KINDS["gate_rules"], "early")
    assert (one.from_ratio, one.reason) == (Decimal("0.8"), "Decision 7")
    assert (two.from_ratio, two.reason, two.supersedes, two.version) == (Decimal("0.7"), "Decision 8", one.row_id, 2)
    rule, = current_rows(engine)["gate_rules"]
    assert (rule["from_ratio"], rule["adopted_by"], rule["review_due_date"]) == (
        Decimal("0.7"), "Works council", date(2027, 1, 1))
    for statement in ("update gate_rules set from_ratio = '1'", "delete from gate_rules"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    # valid on no day: withdrawn, and still on record
    assert imported(engine, tmp_path, GOOD.replace("2026-06-01,\n", "2026-06-01,2026-06-01\n")).accepted == 1
    assert current_rows(engine)["gate_rules"] == []


def test_a_rule_may_hold_for_a_perimeter_only(engine, tmp_path):
    header = HEADER.replace("metric,", "metric,perimeter_type,perimeter_id,")
    rows = [GOOD.replace("early", f"r{n}").replace("requests,", f"requests,{where},") for n, where in enumerate(
        ("team,claims", "country,FR", "service,openai", ",", "team,", ",claims", "organisation,us", "planet,earth"))]
    rows.append(rows[0].replace("r0", "r8").replace("claims", "unheard-of"))
    (tmp_path / "gate_rules.csv").write_text(header + "".join(rows))
    (tmp_path / "teams.csv").write_text("team_id,team_name,unit_id,unit_name,country,valid_from\n"
                                        "claims,Claims,ops,Operations,FRA,2026-01-01\n")
    _, found = (import_csv(engine, tmp_path / name, None, "Office", "r", datetime(2026, 5, 20, tzinfo=UTC))
                for name in ("teams.csv", "gate_rules.csv"))
    assert [(rule["perimeter_type"], rule["perimeter_id"]) for rule in current_rows(engine)["gate_rules"]] == [
        ("team", "claims"), ("country", "FRA"), ("service", "openai"), (None, None)]
    assert [(one.line, one.field) for one in found.refused] == [
        (6, "perimeter_id"), (7, "perimeter_type"), (8, "perimeter_id"), (9, "perimeter_type"),
        (10, "perimeter_id")]
    assert "knows no team 'unheard-of'" in found.refused[-1].sentence()


def test_a_registry_of_an_earlier_make_gets_the_columns_and_keeps_its_rows_and_guards(engine, tmp_path):
    imported(engine, tmp_path, GOOD)
    with engine.begin() as connection:
        for column in ("perimeter_type", "perimeter_id"):
            connection.execute(text(f"alter table gate_rules drop column {column}"))
    engine.dispose()
    again = open_registry(default_url(tmp_path))
    rule, = current_rows(again)["gate_rules"]
    assert (rule["gate_rule_id"], rule["perimeter_type"]) == ("early", None)
    with pytest.raises(DBAPIError, match="append-only"), again.begin() as connection:
        connection.execute(text("update gate_rules set perimeter_type = 'team'"))
    assert imported(again, tmp_path, GOOD).unchanged == 1
    again.dispose()


@pytest.mark.parametrize(("change", "word"), [
    (("comfort", "essential"), "useful"), (("slow", "delay"), "smaller_model"), (("0.8", "1.1"), "above 1"),
    (("0.8", "-1"), "plain decimal"), (("requests", "calls"), "energy_kwh"), (("Works council", ""), "missing"),
    (("2026-06-01,", "2026-06-01,2026-05-01"), "not after"), (("2027-01-01", ""), ""),
])
def test_what_would_be_no_rule_is_refused_with_the_way_out(engine, tmp_path, change, word):
    found = imported(engine, tmp_path, GOOD.replace(*change))
    assert found.accepted == 0 and len(found.refused) == 1
    assert word in found.refused[0].sentence()
