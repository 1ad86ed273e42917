"""Files: good rows get in, bad rows are named with the way out, the same file again writes nothing."""

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlmodel import Session

from pipelines.errors import JevonsError
from pipelines.registry.export import current_rows
from pipelines.registry.importer import import_csv, kind_of
from pipelines.registry.models import KINDS, Team
from pipelines.registry.store import current, versions

TEAM_HEADER = "team_id,team_name,unit_id,unit_name,country,valid_from,valid_to\n"
GOOD_WORKFLOW = (
    "w,Name,claims,Head of claims,Writes,useful,batch,yes,no,10,2026-12-01,active,2026-01-01,\n"
)


def test_a_first_import_takes_everything(put):
    results = put.all()
    assert {kind: (result.accepted, result.unchanged, result.refused) for kind, result in results.items()} == {
        "teams": (2, 0, []), "workflows": (2, 0, []), "rules": (3, 0, []), "ceilings": (2, 0, []),
    }


def test_a_second_import_writes_nothing(put, engine, tmp_path):
    put.all()
    before = (tmp_path / "registry.sqlite").read_bytes()
    results = put.all()
    assert {kind: (result.accepted, result.unchanged) for kind, result in results.items()} == {
        "teams": (0, 2), "workflows": (0, 2), "rules": (0, 3), "ceilings": (0, 2),
    }
    assert (tmp_path / "registry.sqlite").read_bytes() == before


def test_ceilings_without_who_and_when_are_unchanged_later(put):
    content = (
        "perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity\n"
        "organisation,organisation,requests,2026-06-01,2026-09-01,10\n"
    )
    assert put.one("ceilings", content).accepted == 1
    later = put.one("ceilings", content, at=put.now + timedelta(days=9), by="Somebody else")
    assert (later.accepted, later.unchanged, later.refused) == (0, 1, [])


def test_a_changed_row_supersedes_and_history_stays(put, engine):
    put.all()
    at = put.now + timedelta(days=30)
    result = put.one("teams", put.teams.replace("Tax advice", "Tax and duties"), at=at, by="Reorganisation")
    assert (result.accepted, result.unchanged) == (1, 1)
    with Session(engine) as session:
        first, second = versions(session, KINDS["teams"], "tax")
    assert (first.team_name, first.version, first.supersedes) == ("Tax advice", 1, None)
    assert (second.team_name, second.version, second.supersedes) == ("Tax and duties", 2, first.row_id)
    assert (first.recorded_by, second.recorded_by) == ("Data office", "Reorganisation")
    assert second.recorded_at_utc == datetime(2026, 6, 19, 12)
    assert second.reason == "first import"
    back = put.one("teams", put.teams)
    assert (back.accepted, back.unchanged) == (1, 1)  # what once stood is news again


def test_as_of_shows_what_was_known(put, engine):
    put.all()
    put.one("teams", put.teams.replace("Tax advice", "Tax"), at=datetime(2026, 6, 1, 0, 0, tzinfo=UTC))
    names = {}
    with Session(engine) as session:
        for day in (date(2026, 5, 19), date(2026, 5, 20), date(2026, 5, 31), date(2026, 6, 1)):
            rows = current(session, KINDS["teams"], day)
            names[str(day)] = rows["tax"].team_name if "tax" in rows else None
    assert names == {"2026-05-19": None, "2026-05-20": "Tax advice", "2026-05-31": "Tax advice", "2026-06-01": "Tax"}


def test_export_has_one_row_per_id_with_the_types_of_the_raw_tables(put, engine):
    put.all()
    put.one("teams", put.teams.replace("Tax advice", "Tax"))
    rows = current_rows(engine)
    assert list(rows) == ["teams", "workflows", "attribution_rules", "ceilings", "gate_rules", "claims", "levies",
                          "levy_uses", "vendors", "vendor_answers", "changes", "reviews", "ratchets"]
    assert rows["teams"] == [
        {"team_id": "claims", "team_name": "Claims handling", "unit_id": "insurance", "unit_name": "Insurance",
         "country": "FRA", "valid_from": date(2026, 1, 1), "valid_to": None},
        {"team_id": "tax", "team_name": "Tax", "unit_id": "advisory", "unit_name": "Advisory",
         "country": "DEU", "valid_from": date(2026, 1, 1), "valid_to": None},
    ]
    assert rows["workflows"][1] == {
        "workflow_id": "sums", "workflow_name": "Sums", "team_id": "tax", "owner": "Head of tax",
        "job_description": "Adds up receipts", "usefulness_class": "essential", "latency_tier": "batch",
        "cacheable": True, "small_model_fit": "yes", "expected_monthly_calls": 1500,
        "review_due_date": date(2026, 11, 1), "status": "active", "valid_from": date(2026, 1, 1),
        "valid_to": None, "sector_tag": None,
    }
    assert rows["attribution_rules"][2] == {
        "rule_id": "r3", "match_type": "project", "source": None, "match_value": "proj_b", "workflow_id": "sums",
        "share": Decimal("1.00000000"), "valid_from": date(2026, 3, 1), "valid_to": date(2026, 6, 1),
    }
    assert list(rows["ceilings"][0]) == [
        "ceiling_id", "perimeter_type", "perimeter_id", "metric", "period_start", "period_end", "limit_quantity",
        "adopted_by", "adopted_at_utc", "reason", "evidence",
    ]
    assert rows == current_rows(engine)


FILES = {
    "a byte order mark": (b"\xef\xbb\xbf" + TEAM_HEADER.encode(), (
        "teams.csv, line 1: the file begins with a byte order mark; save it as UTF-8 without BOM.")),
    "not UTF-8": (TEAM_HEADER.encode() + "é,É,u,U,FR,2026-01-01,\n".encode("latin-1"), (
        "teams.csv, line 2: the file is not UTF-8; save it as UTF-8.")),
    "empty": (b" \n", (
        "teams.csv, line 1: the file is empty; begin it with the header"
        " team_id,team_name,unit_id,unit_name,country,valid_from.")),
    "an unknown column": (TEAM_HEADER.replace("country", "land").encode(), (
        "teams.csv, line 1: the column 'land' means nothing among teams; remove it, or use one of"
        " team_id, team_name, unit_id, unit_name, country, valid_from, valid_to.")),
    "a missing column": (b"team_id,team_name,unit_id,unit_name,valid_from\n", (
        "teams.csv, line 1, country: the column is missing; add it to the header and to each row.")),
    "a column twice": (TEAM_HEADER.replace("valid_to", "country").encode(), (
        "teams.csv, line 1, country: the column is there twice; remove one of them.")),
    "semicolons": (TEAM_HEADER.replace(",", ";").encode(), (
        "teams.csv, line 1: the cells are separated by semicolons; save it with commas.")),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_cannot_be_read_are_refused_whole(engine, sentence, case):
    content, expected = FILES[case]
    assert sentence("teams", content) == expected
    assert current_rows(engine)["teams"] == []


TEAM_ROWS = {
    "orphan,N,u,U,FR,2026-01-01,": "team_id: the id 'orphan' is reserved for what nobody owns; choose another id.",
    "Unattributed,N,u,U,FR,2026-01-01,": (
        "team_id: the id 'Unattributed' is reserved for what nobody owns; choose another id."),
    "a b,N,u,U,FR,2026-01-01,": (
        "team_id: 'a b' is not an id; use 1 to 64 letters, digits, dots, colons, hyphens or underscores."),
    "é,N,u,U,FR,2026-01-01,": (
        "team_id: 'é' is not an id; use 1 to 64 letters, digits, dots, colons, hyphens or underscores."),
    f"{'x' * 65},N,u,U,FR,2026-01-01,": (
        f"team_id: '{'x' * 57}...' is not an id; use 1 to 64 letters, digits, dots, colons, hyphens or underscores."),
    ",N,u,U,FR,2026-01-01,": "team_id: the value is missing; fill it in.",
    "a,N,u,U,France,2026-01-01,": "country: 'France' is not a country; use ISO 3166-1, such as FR or FRA.",
    "a,N,u,U,FR,01/02/2026,": "valid_from: '01/02/2026' is not a day; write it as YYYY-MM-DD.",
    "a,N,u,U,FR,2026-02-29,": "valid_from: '2026-02-29' is not a day; write it as YYYY-MM-DD.",
    "a,N,u,U,FR,2026-01-01,2026-01-01": (
        "valid_to: valid_to 2026-01-01 is not after valid_from 2026-01-01;"
        " give the first day on which it no longer holds, or leave it empty."),
    'a,"N\nM",u,U,FR,2026-01-01,': (
        "team_name: it holds a line break or another control character; write it on one line."),
}


@pytest.mark.parametrize("row", TEAM_ROWS)
def test_a_bad_team_is_refused_and_the_good_one_beside_it_is_not(engine, put, row):
    result = put.one("teams", TEAM_HEADER + row + "\nz,Last,u,U,FR,2026-01-01,\n")
    assert [finding.sentence() for finding in result.refused] == [f"teams.csv, line 2, {TEAM_ROWS[row]}"]
    assert [team["team_id"] for team in current_rows(engine)["teams"]] == ["z"]
    assert (result.accepted, list(result.refused_rows)) == (1, [2])


WORKFLOW_CELLS = {
    (",claims,", ",nobody,"): (
        "team_id: the registry knows no team 'nobody'; correct it, or import it with the teams first."),
    ("Head of claims", "jo@example.org"): (
        "owner: it holds an e-mail address, which would be published; name a role or a body instead."),
    ("Writes", ""): "job_description: the value is missing; fill it in.",
    ("useful", "handy"): (
        "usefulness_class: 'handy' is not a choice; use essential, useful, comfort or experimental."),
    ("yes", "maybe"): "cacheable: 'maybe' is neither true nor false; write true or false.",
    (",no,", ",perhaps,"): "small_model_fit: 'perhaps' is not a choice; use yes, no or untested.",
    (",10,", ",10.5,"): (
        "expected_monthly_calls: '10.5' has too many decimals; write a whole number; nothing is rounded here."),
    (",10,", ",1e3,"): (
        "expected_monthly_calls: '1e3' is not a plain decimal number of at least 0; write digits with a dot,"
        " without sign, thousands separator or exponent."),
    (",10,", f",1{'0' * 18},"): (
        "expected_monthly_calls: '1000000000000000000' is too large; stay below 1 followed by 18 zeros."),
    ("active", "paused"): "status: 'paused' is not a choice; use active or retired.",
}


@pytest.mark.parametrize("change", WORKFLOW_CELLS)
def test_bad_workflows(put, sentence, change):
    put.all()
    assert GOOD_WORKFLOW.count(change[0]) == 1
    row = GOOD_WORKFLOW.replace(*change)
    assert sentence("workflows", put.workflow_header + row) == f"workflows.csv, line 2, {WORKFLOW_CELLS[change]}"


RULE_ROWS = {
    "x,api_key,,k,nothing,1,2026-01-01,": (
        "workflow_id: the registry knows no workflow 'nothing'; correct it, or import it with the workflows first."),
    "x,person,,k,sums,1,2026-01-01,": (
        "match_type: 'person' is not a choice; use api_key, project, pod, tag or node."),
    "x,api_key,,k,sums,0,2026-01-01,": (
        "share: the share '0' is not above 0 and at most 1; write 0.25 for a quarter."),
    "x,api_key,,k,sums,1.00000001,2026-01-01,": (
        "share: the share '1.00000001' is not above 0 and at most 1; write 0.25 for a quarter."),
    "x,api_key,,k,sums,0.333333333,2026-01-01,": (
        "share: '0.333333333' has too many decimals; write at most 8 decimals; nothing is rounded here."),
    "x,api_key,,k,sums,NaN,2026-01-01,": (
        "share: 'NaN' is not a plain decimal number of at least 0; write digits with a dot, without sign,"
        " thousands separator or exponent."),
}


@pytest.mark.parametrize("row", RULE_ROWS)
def test_bad_rules(put, sentence, row):
    put.all()
    assert sentence("rules", put.rule_header + row + "\n") == f"rules.csv, line 2, {RULE_ROWS[row]}"


def test_a_key_instead_of_its_id_is_refused_and_repeated_nowhere(put, engine, tmp_path):
    put.all()
    secret = "sk-proj-4f9a8b7c6d"
    folder = tmp_path / "quarantine"
    result = put.one("rules", put.rule_header + f"x,api_key,,{secret},sums,1,2026-01-01,\n", quarantine=folder)
    assert result.refused[0].sentence() == (
        "rules.csv, line 2, match_value: the value looks like a secret key;"
        " give the key's id (key_...), never the key itself."
    )
    assert secret not in repr(result)
    assert secret not in (folder / "rules.refused.csv").read_text()
    assert secret.encode() not in (tmp_path / "registry.sqlite").read_bytes()
    again = import_csv(engine, folder / "rules.refused.csv", None, "x", "y", put.now)
    assert again.accepted == 0  # nor is the mask taken for a value


def test_one_id_with_two_contents_is_refused_twice_and_twice_the_same_is_taken_once(put, engine):
    result = put.one("teams", TEAM_HEADER + (
        "a,One,u,U,FR,2026-01-01,\n"
        "b,Two,u,U,FR,2026-01-01,\n"
        "a,Other,u,U,FR,2026-01-01,\n"
        "b,Two,u,U,FR,2026-01-01,\n"
    ))
    assert [finding.sentence() for finding in result.refused] == [
        f"teams.csv, line {line}, team_id: a is there 2 times with different content; keep the one that is meant."
        for line in (2, 4)
    ]
    assert (result.accepted, result.unchanged) == (1, 1)
    assert [team["team_id"] for team in current_rows(engine)["teams"]] == ["b"]


def test_a_repeated_row_shares_the_fate_of_the_first(put):
    put.all()
    result = put.one("rules", put.rule_header + "x,tag,,x,sums,0.5,2026-01-01,\n" * 2)
    assert (result.accepted, result.unchanged) == (0, 0)
    assert [finding.line for finding in result.refused] == [2, 3]


def test_a_quarantine_that_cannot_be_written_is_told(put, engine, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(JevonsError, match="the good ones are recorded .*make room there and import"):
        put.one("teams", put.teams + "orphan,N,u,U,FR,2026-01-01,\n", quarantine=tmp_path / "file")
    assert [team["team_id"] for team in current_rows(engine)["teams"]] == ["claims", "tax"]


def test_all_findings_of_a_row_are_told(put):
    result = put.one("teams", TEAM_HEADER + "orphan,,u,U,Fr,2026-1-1,\n")
    assert [finding.field for finding in result.refused] == ["team_id", "team_name", "country", "valid_from"]
    assert list(result.refused_rows) == [2]


def test_lines_are_those_of_the_editor(put):
    """A quoted cell over two lines and a blank line come before the bad rows on lines 6 and 7."""
    result = put.one("teams", TEAM_HEADER + (
        'a,"One\r\nmore",u,U,FR,2026-01-01,\n'
        "\n"
        "b,Two,u,U,FR,2026-01-01,\n"
        "c,Three,u,U\n"
        "d,Four, and more,u,U,FR,2026-01-01,\n"
    ))
    assert [finding.sentence() for finding in result.refused][1:] == [
        "teams.csv, line 6: it has 4 cells where the header has 7;"
        " add what is missing, and put cells that hold a comma in double quotes.",
        "teams.csv, line 7: it has 8 cells where the header has 7;"
        " add what is missing, and put cells that hold a comma in double quotes.",
    ]
    assert result.refused[0].line == 2
    assert result.accepted == 1


def test_an_open_quote_costs_only_what_follows(put, engine):
    rows = 'a,One,u,U,FR,2026-01-01,\nb,"Two,u,U,FR,2026-01-01,\nc,Three,u,U,FR,2026-01-01,\n'
    result = put.one("teams", TEAM_HEADER + rows)
    assert result.accepted == 1
    assert result.refused[0].sentence() == (
        "teams.csv, line 3: the file cannot be read from here on (unexpected end of data);"
        " mend the quotes and import it again."
    )


def test_refused_rows_wait_in_quarantine_and_can_be_imported_from_there(put, engine, tmp_path):
    folder = tmp_path / "quarantine" / "registry"
    rows = "a,One,u,U,France,2026-01-01,\nb,Two,u,U,FR,2026-01-01,\n"
    result = put.one("teams", TEAM_HEADER + rows, quarantine=folder)
    assert result.quarantine == folder / "teams.refused.csv"
    with result.quarantine.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "team_id": "a", "team_name": "One", "unit_id": "u", "unit_name": "U", "country": "France",
        "valid_from": "2026-01-01", "valid_to": "",
        "refusal_reason": "teams.csv, line 2, country: 'France' is not a country; use ISO 3166-1, such as FR or FRA.",
    }
    mended = folder / "teams.refused.csv"
    mended.write_text(mended.read_text().replace("France,", "FR,", 1))
    again = import_csv(engine, mended, None, "Data office", "mended", put.now, folder)
    assert (again.accepted, again.refused, again.quarantine) == (1, [], None)


def test_without_refusals_nothing_is_quarantined(put, tmp_path):
    assert put.one("teams", put.teams, quarantine=tmp_path / "q").quarantine is None
    assert not (tmp_path / "q").exists()


@pytest.mark.parametrize("name, kind", [
    ("teams.csv", "teams"), ("Workflows-2026.csv", "workflows"), ("attribution_rules.csv", "rules"),
    ("rules.refused.csv", "rules"), ("ceilings_2027.csv", "ceilings"),
])
def test_the_file_name_says_the_kind(tmp_path, name, kind):
    assert kind_of(tmp_path / name).name == kind


def test_what_cannot_even_begin_says_so(engine, tmp_path, put):
    with pytest.raises(JevonsError, match="'teamsters.csv' names none of teams, workflows, rules, ceilings"):
        import_csv(engine, tmp_path / "teamsters.csv", None, "x", "y", put.now)
    with pytest.raises(JevonsError, match="teams.csv.: no such file or directory; correct the path"):
        import_csv(engine, tmp_path / "teams.csv", None, "x", "y", put.now)
    with pytest.raises(JevonsError, match="reason.: it has no text"):
        import_csv(engine, tmp_path / "teams.csv", None, "x", " ", put.now)
    with pytest.raises(JevonsError, match="recorded_at_utc.: the instant names no time zone"):
        import_csv(engine, tmp_path / "teams.csv", None, "x", "y", put.now.replace(tzinfo=None))


def test_a_database_that_may_not_be_written_says_so(put, engine):
    put.all()
    with engine.connect() as connection:
        connection.execute(text("pragma query_only = on"))
    engine_rows = current_rows(engine)
    with pytest.raises(JevonsError, match="Nothing was recorded .teams in the registry.: .*readonly"):
        put.one("teams", put.teams + "new,New,u,U,FR,2026-01-01,\n")
    assert current_rows(engine) == engine_rows


# A unit has one name

INSURANCE = "the unit insurance would be called 'Insurance' (team claims) and 'Insurances' (team fraud); " \
            "write one name; to rename a unit, give all its teams together with the new name."


def test_a_second_name_of_a_unit_is_refused(put, engine):
    put.all()
    result = put.one("teams", put.teams + "fraud,Fraud,insurance,Insurances,FR,2026-01-01,\n")
    assert [finding.sentence() for finding in result.refused] == [
        "teams.csv, line 2, unit_name: " + INSURANCE,
        "teams.csv, line 4, unit_name: " + INSURANCE,
    ]  # claims is in the file as well: nobody can tell which of the two is meant
    assert (result.accepted, result.unchanged) == (0, 1)
    result = put.one("teams", TEAM_HEADER + "fraud,Fraud,insurance,Insurances,FR,2026-01-01,\n")
    assert [finding.line for finding in result.refused] == [2]
    assert {team["unit_name"] for team in current_rows(engine)["teams"]} == {"Insurance", "Advisory"}


def test_a_unit_is_renamed_by_all_its_teams_at_once(put, engine):
    put.all()
    assert put.one("teams", put.teams + "fraud,Fraud,insurance,Insurance,FR,2026-01-01,\n").accepted == 1
    renamed = put.teams.replace(",Insurance,", ",Risk,")
    assert put.one("teams", renamed).accepted == 0  # fraud would still say Insurance
    result = put.one("teams", renamed + "fraud,Fraud,insurance,Risk,FR,2026-01-01,\n")
    assert (result.accepted, result.unchanged, result.refused) == (2, 1, [])
    assert {team["unit_name"] for team in current_rows(engine)["teams"]} == {"Risk", "Advisory"}
    with Session(engine) as session:
        assert [row.unit_name for row in versions(session, KINDS["teams"], "claims")] == ["Insurance", "Risk"]


def test_a_team_held_back_holds_back_who_counts_on_its_leaving(put):
    """claims would leave insurance for advisory under another name; so it stays, and fraud cannot rename insurance."""
    put.all()
    result = put.one("teams", TEAM_HEADER + (
        "claims,Claims handling,advisory,Advice,FR,2026-01-01,\n"
        "fraud,Fraud,insurance,Risk,FR,2026-01-01,\n"
    ))
    assert result.accepted == 0 and [finding.line for finding in result.refused] == [2, 3]
    assert "the unit advisory" in result.refused[0].rule and "the unit insurance" in result.refused[1].rule


def test_a_team_may_leave_a_unit_that_has_two_names_since_earlier(put, engine):
    """Registries of earlier versions may hold such a unit; what does not touch its names is recorded."""
    put.all()
    with Session(engine) as session:
        session.add(Team(
            team_id="fraud", team_name="Fraud", unit_id="insurance", unit_name="Insurances", country="FRA", version=1,
            valid_from=date(2026, 1, 1), recorded_at_utc=put.now, recorded_by="earlier", reason="earlier",
        ))
        session.commit()
    result = put.one("teams", TEAM_HEADER + "tax,Taxes,advisory,Advisory,DE,2026-01-01,\n")
    assert (result.accepted, result.refused) == (1, [])
    assert put.one("teams", TEAM_HEADER + "fraud,Fraud,advisory,Advisory,FR,2026-01-01,\n").accepted == 1
