"""The sources `registry` and `settings`: what people declared, landed as typed whole tables."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from pipelines import landing
from pipelines.registry.importer import import_csv
from pipelines.registry.store import default_url, open_registry
from pipelines.settings import load
from pipelines.source import Context
from pipelines.sources import registry, settings_rows
from pipelines.window import Window

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
TOML = """
[organisation]
name = "Test"
[sources.openai]
[sources.outcomes]
enabled = false
[sources.gpu_prometheus]
site = "cellar"
[sites.cellar]
zone = "FR"
country = "FRA"
pue = "1.25"
pue_source = "site meter"
market_gco2e_per_kwh = "0"
control = "leased"
[sites.far]
zone = "US-MIDA-PJM"
country = "USA"
market_boundary = "PJM"
[hardware.rack]
site = "cellar"
gpu_model = "H100"
count = 8
purchased_on = 2026-03-31
embodied_kgco2e_low = "164"
embodied_kgco2e = "273"
embodied_kgco2e_high = "575"
source = "a data sheet"
lifetime_years = 5
[providers.openai]
site = "far"
system_of_record = "openai"
[providers.self_hosted]
site = "cellar"
energy_from = "gpu_prometheus"
"""
DECLARED = {
    "teams": "team_id,team_name,unit_id,unit_name,country,valid_from,valid_to\n"
             "claims,Claims,ins,Insurance,FRA,2026-01-01,\n",
    "workflows": "workflow_id,workflow_name,team_id,owner,job_description,usefulness_class,latency_tier,cacheable,"
                 "small_model_fit,expected_monthly_calls,review_due_date,status,valid_from,valid_to\n"
                 "letters,Letters,claims,Head of claims,Drafts letters,useful,interactive,false,untested,40000,"
                 "2026-12-01,active,2026-01-01,2027-01-01\n",
    "rules": "rule_id,match_type,source,match_value,workflow_id,share,valid_from,valid_to\n"
             "r1,project,,proj_b,letters,1,2026-03-01,2026-06-01\n",
    "ceilings": "ceiling_id,perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity,adopted_by,"
                "adopted_at_utc,reason\norg,organisation,organisation,energy_kwh,2026-06-01,2026-09-01,1200.5,Board,"
                "2026-05-19T09:00:00+02:00,Decision 14\n",
    "gate_rules": "gate_rule_id,usefulness_class,action,from_ratio,metric,adopted_by,review_due_date,valid_from,"
                  "valid_to\nearly,comfort,slow,0.8,,Board,2027-01-01,2026-06-01,\n",
}


@pytest.fixture
def context(tmp_path):
    (tmp_path / "jevons.toml").write_text(TOML)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Context(load(tmp_path, {"OPENAI_ADMIN_KEY": "sk-SENTINEL"}), scratch)


def land(source, context, day="2026-06-01"):
    """Lands each table of the source; the window means nothing to a table without days."""
    rows = {}
    for table in source.tables:
        staged = landing.stage(source, table, context, Window.of_days(day, day))
        landed = landing.commit(staged, (), context.settings.home, NOON)
        assert landed.findings == []
        path = context.settings.home / "raw" / source.name / table.name / "part.parquet"
        rows[table.name] = duckdb.sql(f"from read_parquet('{path}')").fetchall()
    return rows


def test_settings_land_as_rows_and_without_secrets(context, tmp_path):
    rows = land(settings_rows.SOURCE, context)
    assert rows["sites"] == [
        ("cellar", "FR", "FRA", Decimal("1.250000"), "site meter", Decimal("0.000000"), None, "leased", None),
        ("far", "US-MIDA-PJM", "USA", None, None, None, None, None, "PJM"),
    ]
    assert rows["providers"] == [
        ("openai", "far", "openai", None, None, None), ("self_hosted", "cellar", None, "gpu_prometheus", None, None)]
    assert rows["sources"] == [("gpu_prometheus", "cellar"), ("openai", None)]  # outcomes are switched off
    assert rows["hardware"] == [(
        "rack", "cellar", "H100", 8, date(2026, 3, 31), Decimal("164.000000"), Decimal("273.000000"),
        Decimal("575.000000"), "a data sheet", Decimal("5.000000"),
    )]
    assert rows["models"] == []
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"SENTINEL" in path.read_bytes()]


def test_the_registry_lands_as_it_stands(context, tmp_path):
    engine = open_registry(default_url(tmp_path))
    for kind, content in DECLARED.items():
        path = tmp_path / f"{kind}.csv"
        path.write_text(content)
        import_csv(engine, path, None, "Data office", "first import", NOON, None)
    engine.dispose()
    assert land(registry.SOURCE, context) == {
        "teams": [("claims", "Claims", "ins", "Insurance", "FRA", date(2026, 1, 1), None)],
        "workflows": [(
            "letters", "Letters", "claims", "Head of claims", "Drafts letters", "useful", "interactive", False,
            "untested", 40000, date(2026, 12, 1), "active", date(2026, 1, 1), date(2027, 1, 1),
        )],
        "attribution_rules": [
            ("r1", "project", None, "proj_b", "letters", Decimal("1.00000000"), date(2026, 3, 1), date(2026, 6, 1)),
        ],
        "ceilings": [(
            "org", "organisation", "organisation", "energy_kwh", date(2026, 6, 1), date(2026, 9, 1),
            Decimal("1200.500000000"), "Board", datetime(2026, 5, 19, 7), "Decision 14",  # 09:00+02:00 is 07:00 UTC
        )],
        "gate_rules": [
            ("early", "comfort", "slow", Decimal("0.80000000"), None, "Board", date(2027, 1, 1), date(2026, 6, 1),
             None),
        ],
    }
    assert registry.SOURCE.check(context) == (
        "The registry holds 1 teams, 1 workflows, 1 attribution rules, 1 ceilings, 1 gate rules."
    )


def test_an_empty_registry_lands_as_empty_tables(context):
    assert land(registry.SOURCE, context) == {
        "teams": [], "workflows": [], "attribution_rules": [], "ceilings": [], "gate_rules": []}
