"""A team or a workflow does not slip from under a ceiling by moving, and a unit not by a new name."""

from datetime import UTC, datetime

HEADER = "perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity\n"
UNIT = "unit,{},energy_kwh,2026-06-01,2026-09-01,{}\n"


def test_a_unit_is_not_renamed_away(engine, put, sentence):
    put.all()
    put.one("ceilings", HEADER + UNIT.format("insurance", 100))
    renamed = put.teams.replace("insurance", "insurances")
    assert sentence("teams", renamed) == (
        "teams.csv, line 2, unit_id: it would leave the unit insurance, where"
        " unit:insurance:energy_kwh:2026-06-01:2026-09-01 binds until 2026-09-01, for insurances, which has no ceiling"
        " of energy_kwh from 2026-06-01 to before 2026-09-01; adopt that one first, or record the change from"
        " 2026-09-01 on."
    )


def test_once_a_period_is_over_a_unit_may_have_another_name(put):
    put.one("teams", put.teams)
    put.one("ceilings", HEADER + UNIT.format("insurance", 100).replace("2026", "2020"))
    renamed = put.teams.replace("insurance", "insurances")
    assert put.one("teams", renamed, at=datetime(2020, 8, 31, tzinfo=UTC)).refused != []
    assert put.one("teams", renamed, at=datetime(2020, 9, 1, tzinfo=UTC)).refused == []


def test_a_team_may_go_where_the_same_is_limited(put, sentence):
    put.all()
    put.one("ceilings", HEADER + UNIT.format("insurance", 100) + UNIT.format("advisory", 50))
    moved = put.teams.replace("insurance,Insurance", "advisory,Advisory")
    assert put.one("teams", moved).refused == []
    assert "unit_name" not in str(put.one("teams", put.teams).refused)  # and back


def test_another_metric_is_not_the_same(put, sentence):
    put.all()
    put.one("ceilings", HEADER + UNIT.format("insurance", 100)
            + UNIT.format("advisory", 50).replace("energy_kwh", "tokens"))
    moved = put.teams.replace("insurance,Insurance", "advisory,Advisory")
    assert "no ceiling of energy_kwh" in sentence("teams", moved)


def test_a_workflow_stays_in_its_team_and_a_team_in_its_country(put, sentence):
    put.all()  # the team claims has a ceiling of requests
    assert "workflows.csv, line 2, team_id: it would leave the team claims" in sentence(
        "workflows", put.workflows.replace("Letters,claims", "Letters,tax"))
    put.one("ceilings", HEADER + "country,FR,tokens,2026-06-01,2026-09-01,5\n")
    assert "teams.csv, line 2, country: it would leave the country FRA" in sentence(
        "teams", put.teams.replace("Insurance,FR", "Insurance,BE"))
    assert put.one("teams", put.teams.replace("Insurance,FR", "Insurance,FRA")).refused == []  # the same country


def test_a_workflow_does_not_leave_a_unit_or_a_country_with_its_team(put, sentence):
    """The team has no ceiling of its own: what encloses it binds all the same."""
    put.one("teams", put.teams + "care,Care,insurance,Insurance,DE,2026-01-01,\n")
    put.one("workflows", put.workflows)
    put.one("ceilings", HEADER + UNIT.format("insurance", 100))
    assert "team_id: it would leave the unit insurance" in sentence(
        "workflows", put.workflows.replace("Letters,claims", "Letters,tax"))
    assert put.one("workflows", put.workflows.replace("Letters,claims", "Letters,care")).refused == []  # the same unit
    put.one("ceilings", HEADER + "country,DE,tokens,2026-06-01,2026-09-01,5\n")
    assert "team_id: it would leave the country DEU" in sentence("workflows", put.workflows)


def test_a_sector_tag_is_neither_changed_nor_removed_while_it_is_limited(put, sentence):
    put.one("teams", put.teams)
    header, letters, sums = put.workflows.replace("valid_to", "valid_to,sector_tag").splitlines()
    tagged = f"{header}\n{letters},{{}}\n{sums},\n".format
    assert put.one("workflows", tagged("health-care")).refused == []
    ceiling = HEADER + "sector_tag,{},requests,2026-06-01,2026-09-01,900\n"
    assert put.one("ceilings", ceiling.format("health-care")).accepted == 1
    rest = ("where sector_tag:health-care:requests:2026-06-01:2026-09-01 binds until 2026-09-01, for {}, which has no"
            " ceiling of requests from 2026-06-01 to before 2026-09-01; adopt that one first, or record the change from"
            " 2026-09-01 on.")
    for tag, said in (("Health-care", "Health-care"), ("schools", "schools"), ("", "none")):
        assert sentence("workflows", tagged(tag)) == (
            "workflows.csv, line 2, sector_tag: it would leave the sector tag health-care, " + rest.format(said))
    assert put.one("workflows", tagged("health-care")).refused == []
    both = tagged("health-care").replace(f"{sums},", f"{sums},schools")
    assert put.one("workflows", both).refused == []  # whoever has no tag may get one
    assert put.one("ceilings", ceiling.format("schools")).accepted == 1
    assert put.one("workflows", both.replace("health-care", "schools")).refused == []


def test_where_nothing_binds_everything_may_move(put):
    put.one("teams", put.teams)
    put.one("workflows", put.workflows)
    assert put.one("teams", put.teams.replace("insurance", "insurances")).refused == []
    assert put.one("workflows", put.workflows.replace("Letters,claims", "Letters,tax")).refused == []
