"""A ceiling may be adopted and lowered; it is never raised, deleted, moved or re-dated."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from pipelines.registry import book
from pipelines.registry.ceilings import standing
from pipelines.registry.drafts import CeilingDraft, Recording
from pipelines.registry.export import current_rows
from pipelines.registry.models import KINDS
from pipelines.registry.store import open_registry, versions

HEADER = "perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity\n"


def ceilings(engine):
    return {row["ceiling_id"]: row for row in current_rows(engine)["ceilings"]}


def test_adopting_keeps_who_when_and_why(engine, put):
    put.all()
    kept = ceilings(engine)["org-kwh"]
    assert kept["limit_quantity"] == Decimal("1200.5")
    assert str(kept["limit_quantity"]) == "1200.500000000"
    assert (kept["period_start"], kept["period_end"]) == (date(2026, 6, 1), date(2026, 9, 1))
    assert (kept["adopted_by"], kept["reason"]) == ("Board", "Decision 14")
    assert str(kept["adopted_at_utc"]) == "2026-05-19 07:00:00"  # 09:00 at +02:00


def test_lowering_supersedes_and_who_lowers_answers_for_it(engine, put):
    put.all()
    result = put.one("ceilings", HEADER + "organisation,organisation,energy_kwh,2026-06-01,2026-09-01,1100\n")
    assert (result.accepted, result.refused) == (1, [])
    kept = ceilings(engine)["org-kwh"]
    assert kept["limit_quantity"] == 1100
    assert (kept["adopted_by"], kept["reason"]) == ("Data office", "first import")
    assert str(kept["adopted_at_utc"]) == "2026-05-20 12:00:00"
    with Session(engine) as session:
        first, second = versions(session, KINDS["ceilings"], "org-kwh")
    assert (first.version, first.supersedes, second.version, second.supersedes) == (1, None, 2, first.row_id)


REFUSED = {
    "raised by its id": (
        "org-kwh,organisation,organisation,energy_kwh,2026-06-01,2026-09-01,1200.500000001,,,",
        "limit_quantity: 1200.500000001 is above the 1200.5 that stand for org-kwh, and a ceiling is never raised;"
        " keep or lower the limit; a new one can be adopted for the next period.",
    ),
    "raised without an id": (
        ",organisation,organisation,energy_kwh,2026-06-01,2026-09-01,2000,,,",
        "limit_quantity: 2000 is above the 1200.5 that stand for org-kwh, and a ceiling is never raised;"
        " keep or lower the limit; a new one can be adopted for the next period.",
    ),
    "a second one beside it": (
        "org-kwh-2,organisation,organisation,energy_kwh,2026-06-01,2026-09-01,1000,,,",
        "ceiling_id: org-kwh already binds this perimeter, metric and period;"
        " use that id, or `jevons ceilings lower org-kwh`.",
    ),
    "made longer": (
        "org-kwh,organisation,organisation,energy_kwh,2026-06-01,2026-10-01,1200.5,,,",
        "period_start: org-kwh already binds from 2026-06-01 to before 2026-09-01, and a ceiling is never re-dated;"
        " give the same period, or adopt another one from 2026-09-01 on.",
    ),
    "moved to next year": (
        "org-kwh,organisation,organisation,energy_kwh,2027-06-01,2027-09-01,1200.5,,,",
        "period_start: org-kwh already binds from 2026-06-01 to before 2026-09-01, and a ceiling is never re-dated;"
        " give the same period, or adopt another one from 2026-09-01 on.",
    ),
    "overlapped for a day": (
        "late,organisation,organisation,energy_kwh,2026-08-31,2026-12-01,1,,,",
        "period_start: org-kwh already binds from 2026-06-01 to before 2026-09-01, and a ceiling is never re-dated;"
        " give the same period, or adopt another one from 2026-09-01 on.",
    ),
    "given to another perimeter": (
        "org-kwh,team,claims,energy_kwh,2026-06-01,2026-09-01,1,,,",
        "ceiling_id: org-kwh is the ceiling of organisation organisation for energy_kwh and cannot be moved;"
        " adopt a ceiling with another id.",
    ),
    "given another metric": (
        "org-kwh,organisation,organisation,requests,2026-06-01,2026-09-01,1,,,",
        "ceiling_id: org-kwh is the ceiling of organisation organisation for energy_kwh and cannot be moved;"
        " adopt a ceiling with another id.",
    ),
    "a perimeter that is not there": (
        "x,team,claim,requests,2026-06-01,2026-09-01,1,,,",
        "perimeter_id: the registry knows no team 'claim'; correct it, or import it with the teams first.",
    ),
    "another name for the organisation": (
        "x,organisation,acme,requests,2026-06-01,2026-09-01,1,,,",
        "perimeter_id: the whole organisation is one perimeter, not 'acme'; write organisation.",
    ),
    "an empty period": (
        "x,unit,insurance,requests,2026-06-01,2026-06-01,1,,,",
        "period_end: the period ends on 2026-06-01, not after its start 2026-06-01;"
        " give the first day after the period.",
    ),
    "part of a request": (
        "x,unit,insurance,requests,2026-06-01,2026-09-01,1.5,,,",
        "limit_quantity: there is no part of a request; write a whole number.",
    ),
    "part of a token": (
        "x,unit,insurance,tokens,2026-06-01,2026-09-01,1.5,,,",
        "limit_quantity: there is no part of a token; write a whole number.",
    ),
    "a perimeter without an account": (
        "x,region,retail,energy_kwh,2026-06-01,2026-09-01,1,,,",
        "perimeter_type: 'region' is not a choice; use organisation, unit, team, workflow, service, country or"
        " sector_tag.",
    ),
    "a tag that no workflow carries": (
        "x,sector_tag,retail,energy_kwh,2026-06-01,2026-09-01,1,,,",
        "perimeter_id: the registry knows no sector tag 'retail'; correct it, or import it with the workflows first.",
    ),
    "two months": (
        "x,unit,insurance,requests,2026-06-01,2026-08-01,1,,,",
        "period_end: 2026-06-01 to before 2026-08-01 is no month, quarter or year;"
        " begin on the first day of a month and end one, three or twelve months later.",
    ),
    "days of another month": (
        "x,unit,insurance,requests,2026-06-02,2026-07-02,1,,,",
        "period_end: 2026-06-02 to before 2026-07-02 is no month, quarter or year;"
        " begin on the first day of a month and end one, three or twelve months later.",
    ),
    "a day of another time zone": (
        "org-kwh,organisation,organisation,energy_kwh,2026-06-01T00:00:00+14:00,2026-09-01,1,,,",
        "period_start: '2026-06-01T00:00:00+14:00' is not a day; write it as YYYY-MM-DD.",
    ),
    "below nothing": (
        "x,unit,insurance,energy_kwh,2026-06-01,2026-09-01,-1,,,",
        "limit_quantity: '-1' is not a plain decimal number of at least 0; write digits with a dot, without sign,"
        " thousands separator or exponent.",
    ),
    "another unit": (
        "x,unit,insurance,energy_mwh,2026-06-01,2026-09-01,1,,,",
        "metric: 'energy_mwh' is not a choice; use energy_kwh, location_kgco2e, market_kgco2e, requests, tokens,"
        " gpu_hours or cost_usd.",
    ),
    "a naive instant": (
        "x,unit,insurance,energy_kwh,2026-06-01,2026-09-01,1,Board,2026-05-19T09:00:00,",
        "adopted_at_utc: the instant names no time zone; end it with Z for UTC or an offset such as +02:00.",
    ),
    "a person's address": (
        "x,unit,insurance,energy_kwh,2026-06-01,2026-09-01,1,jo@example.org,,",
        "adopted_by: it holds an e-mail address, which would be published; name a role or a body instead.",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(engine, put, sentence, case):
    put.all()
    before = current_rows(engine)
    row, expected = REFUSED[case]
    assert sentence("ceilings", put.ceiling_header + row + "\n") == f"ceilings.csv, line 2, {expected}"
    assert current_rows(engine) == before


def test_the_next_period_may_have_any_limit(engine, put):
    put.all()
    result = put.one("ceilings", HEADER + "organisation,organisation,energy_kwh,2026-09-01,2026-12-01,9000\n")
    assert (result.accepted, result.refused) == (1, [])
    assert ceilings(engine)["organisation:organisation:energy_kwh:2026-09-01:2026-12-01"]["limit_quantity"] == 9000


def test_two_in_one_file_that_overlap_do_not_both_get_in(put):
    put.all()
    result = put.one("ceilings", put.ceiling_header + (
        "a,unit,advisory,requests,2026-06-01,2026-09-01,10,,,\n"
        "b,unit,advisory,requests,2026-07-01,2026-10-01,10,,,\n"
    ))
    assert result.accepted == 1
    assert [(finding.line, finding.field) for finding in result.refused] == [(3, "period_start")]


def test_a_derived_id_fits_however_long_the_perimeter_is(engine, put):
    put.all()
    for tail in "xy":
        team = "t" * 63 + tail
        put.one("teams", put.teams + f"{team},Long,insurance,Insurance,FR,2026-01-01,\n")
        row = f"team,{team},location_kgco2e,2026-06-01,2026-09-01,5\n"
        assert put.one("ceilings", HEADER + row).accepted == 1
    ids = [row["ceiling_id"] for row in current_rows(engine)["ceilings"] if row["metric"] == "location_kgco2e"]
    assert len(set(ids)) == 2 and {len(ceiling_id) for ceiling_id in ids} == {64}


@pytest.mark.parametrize("limit, end", [("999999.000000000", "2026-09-01"), ("999999.000000000", "2027-09-01")])
def test_a_raise_that_was_in_the_table_before_it_was_guarded_does_not_stand(engine, put, limit, end):
    """The lowest limit of the first period stands all the same."""
    put.all()
    with engine.begin() as connection:
        connection.exec_driver_sql("drop trigger ceilings_no_replace")
        connection.exec_driver_sql(
            "insert into ceilings select 77, 2, valid_from, recorded_at_utc, recorded_by, reason, ceiling_id,"
            f" perimeter_type, perimeter_id, metric, period_start, '{end}', '{limit}', adopted_by, adopted_at_utc,"
            " evidence, row_id from ceilings where ceiling_id = 'org-kwh'"
        )
    rows = [row for row in current_rows(engine)["ceilings"] if row["period_end"] == date(2026, 9, 1)]
    assert {row["ceiling_id"]: row["limit_quantity"] for row in rows} == {
        "claims-req": 900000, "org-kwh": Decimal("1200.5"),
    }


def test_a_country_written_in_two_and_in_three_letters_is_one_perimeter(engine, put):
    put.all()
    row = "country,{},energy_kwh,2026-06-01,2026-09-01,{}\n"
    derived = "country:FRA:energy_kwh:2026-06-01:2026-09-01"
    assert put.one("ceilings", HEADER + row.format("FR", 90)).accepted == 1
    assert put.one("ceilings", HEADER + row.format("FRA", 80)).accepted == 1
    assert "a ceiling is never raised" in put.one("ceilings", HEADER + row.format("FR", 85)).refused[0].sentence()
    assert put.one("ceilings", HEADER + row.format("XX", 1)).refused[0].sentence().endswith(
        "perimeter_id: 'XX' is not a country; use ISO 3166-1, such as FR or FRA.")
    assert "the registry knows no country 'ITA'" in put.one(
        "ceilings", HEADER + row.format("IT", 1)).refused[0].sentence()
    kept = ceilings(engine)[derived]
    assert (kept["perimeter_id"], kept["limit_quantity"]) == ("FRA", 80)


def test_two_letters_that_were_recorded_once_bind_like_three(engine, put):
    put.all()
    put.one("ceilings", HEADER + "country,FRA,energy_kwh,2026-06-01,2026-09-01,90\n")
    with engine.begin() as connection:  # a registry from before one standard was kept
        for change in ("update ceilings set perimeter_id = 'FR', ceiling_id = 'old' where perimeter_type = 'country'",
                       "update teams set country = 'FR' where country = 'FRA'"):
            connection.exec_driver_sql(f"drop trigger {change.split()[1]}_no_update")
            connection.exec_driver_sql(change)
    rows = current_rows(engine)
    assert {team["country"] for team in rows["teams"]} == {"FRA", "DEU"}
    assert (ceilings(engine)["old"]["perimeter_id"], ceilings(engine)["old"]["limit_quantity"]) == ("FRA", 90)
    raised = put.one("ceilings", HEADER + "country,FR,energy_kwh,2026-06-01,2026-09-01,91\n").refused[0].sentence()
    assert "above the 90 that stand for old, and a ceiling is never raised" in raised
    assert put.one("ceilings", HEADER + "country,FRA,energy_kwh,2026-06-01,2026-09-01,70\n").accepted == 1
    assert (ceilings(engine)["old"]["perimeter_id"], ceilings(engine)["old"]["limit_quantity"]) == ("FRA", 70)


def _month(index):
    return date(2026, 1 + index, 1)


steps = st.tuples(
    st.sampled_from([None, "a", "b"]), st.integers(0, 4), st.sampled_from([1, 3]), st.integers(0, 6),
).map(lambda step: CeilingDraft(
    ceiling_id=step[0], perimeter_type="organisation", perimeter_id="organisation", metric="energy_kwh",
    period_start=_month(step[1]), period_end=_month(step[1] + step[2]),
    limit_quantity=Decimal(step[3]),
))


@given(batches=st.lists(st.lists(steps, min_size=1, max_size=3), max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_sequence_of_entries_lifts_the_limit_of_any_day(batches, put):
    """After each batch, a day that was bound is bound at most as high, by one ceiling at most."""
    engine = open_registry("sqlite://")
    bound: dict[date, Decimal] = {}
    for drafts in batches:
        recording = Recording(recorded_by="Board", reason="Test", recorded_at_utc=put.now)
        book.record(engine, KINDS["ceilings"], drafts, recording)
        with Session(engine) as session:
            rows = standing(versions(session, KINDS["ceilings"]))
        now: dict[date, Decimal] = {}
        for row in rows:
            for n in range((row.period_end - row.period_start).days):
                day = row.period_start + timedelta(days=n)
                assert day not in now
                now[day] = row.limit_quantity
        for day, limit in bound.items():
            assert now[day] <= limit
        bound = now
    engine.dispose()
