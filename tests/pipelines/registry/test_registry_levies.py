"""Levies, what they paid for, vendors and their answers: kept as versions, and refused where they would count twice."""

from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, text

from pipelines.registry.export import current_rows
from pipelines.registry.importer import import_csv
from pipelines.registry.levies import doubled
from pipelines.registry.models import KINDS
from pipelines.registry.store import default_url, open_registry, versions

FILES = {
    "teams": "team_id,team_name,unit_id,unit_name,country,valid_from,valid_to\n"
             "claims,Claims,insurance,Insurance,FR,2026-01-01,\n",
    "levies": "levy_id,levy_kind,perimeter_type,perimeter_id,basis,price_per_tonne,currency,adopted_by,valid_from,"
              "valid_to\n"
              "fee,fee,organisation,organisation,location_kgco2e,80,EUR,Board,2026-01-01,\n"
              "shadow,shadow,unit,insurance,market_kgco2e,0.1234,CHF,Unit,2026-01-01,2026-07-01\n",
    "levy_uses": "use_id,levy_id,used_on_date,amount,purpose,approved_by,evidence\n"
                 "u1,fee,2026-03-04,12.30,A meter,Board,Minutes 4\n",
    "vendors": "vendor_id,vendor_name,providers\nmeridian,Meridian,openai azure\n",
    "vendor_answers": "answer_id,vendor_id,question,answer,answer_text,evidence_title,evidence_address,"
                      "answered_on_date\n"
                      "a1,meridian,baseline,yes,The year before,Annex 2,https://m.example/2,2026-05-01\n",
}


@pytest.fixture
def put(tmp_path):
    """Imports a kind's file, with something of it replaced; what it refers to is recorded already."""
    engine = open_registry(default_url(tmp_path))

    def put(kind, *change, more=""):
        content = (FILES[kind].replace(*change) if change else FILES[kind]) + more
        assert not change or change[0] in FILES[kind]
        (tmp_path / f"{kind}.csv").write_text(content)
        now = datetime(2026, 5, 20, tzinfo=UTC)
        return import_csv(engine, tmp_path / f"{kind}.csv", None, "Office", "Decision 7", now)

    put.engine = engine
    for kind in FILES:
        done = put(kind)
        assert done.refused == [] and done.accepted == FILES[kind].count("\n") - 1
    yield put
    engine.dispose()


def test_what_was_recorded_comes_back_whole_and_cannot_be_changed(put):
    rows = current_rows(put.engine)
    assert rows["levies"][1] == {
        "levy_id": "shadow", "levy_kind": "shadow", "perimeter_type": "unit", "perimeter_id": "insurance",
        "basis": "market_kgco2e", "price_per_tonne": Decimal("0.1234"), "currency": "CHF", "adopted_by": "Unit",
        "valid_from": date(2026, 1, 1), "valid_to": date(2026, 7, 1)}
    assert rows["levy_uses"] == [{
        "use_id": "u1", "levy_id": "fee", "used_on_date": date(2026, 3, 4), "amount": Decimal("12.30"),
        "purpose": "A meter", "approved_by": "Board", "evidence": "Minutes 4"}]
    assert rows["vendors"][0]["providers"] == "azure openai"  # in order, so that it reads the same each time
    assert rows["vendor_answers"][0]["evidence_address"] == "https://m.example/2"
    assert [put(kind).accepted for kind in FILES] == [0] * 5
    for kind in FILES:
        with pytest.raises(DBAPIError, match="append-only"), put.engine.begin() as connection:
            connection.execute(text(f"delete from {kind}"))
    with Session(put.engine) as session:  # since when a thing holds that has no such column
        assert versions(session, KINDS["levy_uses"], "u1")[0].valid_from == date(2026, 3, 4)
        assert versions(session, KINDS["vendors"], "meridian")[0].valid_from == date(2026, 5, 20)


def test_a_price_that_rises_is_a_levy_of_its_own_from_that_day(put):
    rise = "fee-2,fee,organisation,organisation,market_kgco2e,120,EUR,Board,2026-07-15,\n"
    assert "fee and fee-2 would both price the same carbon on 2026-07-15; end the earlier one" in "".join(
        finding.sentence() for finding in put("levies", more=rise).refused)
    done = put("levies", "EUR,Board,2026-01-01,", "EUR,Board,2026-01-01,2026-07-15", more=rise)
    assert (done.accepted, done.refused) == (2, [])
    assert put("levies", "EUR,Board,2026-01-01,", "EUR,Board,2026-01-01,2026-07-16", more=rise).accepted == 0
    # a shadow price beside the fee counts nothing twice, nor does another perimeter's fee
    other = "s2,shadow,organisation,organisation,location_kgco2e,9,EUR,Board,2026-01-01,\n" \
        "f2,fee,team,claims,location_kgco2e,9,USD,Board,2026-01-01,\n"
    assert put("levies", "EUR,Board,2026-01-01,", "EUR,Board,2026-01-01,2026-07-15", more=rise + other).accepted == 2


@pytest.mark.parametrize(("kind", "change", "word"), [
    ("levies", ("EUR", "EURO"), "such as EUR"), ("levies", (",80,", ",-80,"), "plain decimal"),
    ("levies", (",80,", ",80.12345,"), "4 decimals"), ("levies", ("unit,insurance", "unit,tax"), "knows no unit"),
    ("levies", ("unit,insurance", "country,FRA"), "organisation, unit, team or workflow"),
    ("levies", ("2026-01-01,2026-07-01", "2026-01-01,2026-01-01"), "not after"),
    ("levies", (",organisation,organisation", ",organisation,all"), "one perimeter"),
    ("levies", (",80,EUR", ",80,USD"), "was recorded with 'EUR'; record it under an id of its own"),
    ("levies", ("fee,fee", "fee,shadow"), "was recorded with 'fee'"),
    ("levy_uses", (",fee,", ",shadow,"), "knows no fee 'shadow'"), ("levy_uses", ("12.30", "12.305"), "2 decimals"),
    ("levy_uses", ("Minutes 4", ""), "missing"), ("vendors", ("openai azure", " ; "), "names no provider"),
    ("vendor_answers", ("baseline", "price"), "hard_budgets"), ("vendor_answers", (",yes,", ",perhaps,"), "partly"),
    ("vendor_answers", ("Annex 2", ""), "address and no title"),
    ("vendor_answers", (",meridian,", ",acme,"), "knows no vendor 'acme'"),
    ("vendor_answers", ("baseline", "hard_budgets"), "was recorded with 'baseline'"),
])
def test_what_would_count_wrongly_is_refused_with_the_way_out(put, kind, change, word):
    found = put(kind, *change)
    assert found.accepted == 0 and len(found.refused_rows) == 1
    assert word in found.refused[0].sentence()


def test_no_provider_has_two_vendors_and_no_question_two_answers_on_a_day(put):
    assert "acme and meridian would share a provider" in put("vendors", more="acme,Acme,azure\n").refused[0].sentence()
    again = "a2,meridian,baseline,no,Sorry,,,2026-05-01\n"
    assert "a1 and a2 answer one question on one day" in put("vendor_answers", more=again).refused[0].sentence()
    assert put("vendor_answers", more=again.replace("05-01", "05-02")).accepted == 1


@given(st.lists(st.tuples(st.integers(1, 28), st.none() | st.integers(1, 5)), max_size=5))
def test_levies_are_doubled_if_and_only_if_a_day_has_two(spans):
    levies = [
        SimpleNamespace(levy_id=str(at), levy_kind="fee", perimeter_type="team", perimeter_id="t",
                        valid_from=date(2026, 1, first),
                        valid_to=None if days is None else date.fromordinal(date(2026, 1, first).toordinal() + days))
        for at, (first, days) in enumerate(spans)
    ]
    days = [date(2026, 1, 1).toordinal() + at for at in range(40)]
    held = [sum(levy.valid_from.toordinal() <= day and (levy.valid_to is None or day < levy.valid_to.toordinal())
                for levy in levies) for day in days]
    assert bool(doubled(levies)) == any(count > 1 for count in held)
