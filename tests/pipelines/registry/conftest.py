"""A registry in a temporary folder, and short ways to write files for it."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from pipelines.registry.importer import import_csv
from pipelines.registry.store import default_url, open_registry

NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)

TEAMS = """team_id,team_name,unit_id,unit_name,country,valid_from,valid_to
claims,Claims handling,insurance,Insurance,FR,2026-01-01,
tax,Tax advice,advisory,Advisory,DE,2026-01-01,
"""
WORKFLOW_HEADER = (
    "workflow_id,workflow_name,team_id,owner,job_description,usefulness_class,latency_tier,cacheable,"
    "small_model_fit,expected_monthly_calls,review_due_date,status,valid_from,valid_to\n"
)
WORKFLOWS = WORKFLOW_HEADER + (
    'letters,Letters,claims,Head of claims,"Drafts letters, a clerk checks",useful,interactive,false,untested,'
    "40000,2026-12-01,active,2026-01-01,\n"
    "sums,Sums,tax,Head of tax,Adds up receipts,essential,batch,true,yes,1500,2026-11-01,active,2026-01-01,\n"
)
RULE_HEADER = "rule_id,match_type,source,match_value,workflow_id,share,valid_from,valid_to\n"
RULES = RULE_HEADER + (
    "r1,api_key,openai,key_a,letters,0.33333333,2026-01-01,\n"
    "r2,api_key,openai,key_a,sums,0.66666667,2026-01-01,\n"
    "r3,project,,proj_b,sums,1,2026-03-01,2026-06-01\n"
)
CEILING_HEADER = (
    "ceiling_id,perimeter_type,perimeter_id,metric,period_start,period_end,limit_quantity,"
    "adopted_by,adopted_at_utc,reason\n"
)
CEILINGS = CEILING_HEADER + (
    "org-kwh,organisation,organisation,energy_kwh,2026-06-01,2026-09-01,1200.5,Board,"
    "2026-05-19T09:00:00+02:00,Decision 14\n"
    "claims-req,team,claims,requests,2026-06-01,2026-09-01,900000,Board,2026-05-19T07:00:00Z,Decision 15\n"
)


@pytest.fixture
def engine(tmp_path):
    """An empty registry."""
    engine = open_registry(default_url(tmp_path))
    yield engine
    engine.dispose()


@pytest.fixture
def put(engine, tmp_path):
    """`put.one("teams", text)` imports that text as teams.csv, `put.all()` one good file of each kind."""

    def put(kind, content, at=NOON, by="Data office", quarantine=None):
        path = tmp_path / f"{kind}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return import_csv(engine, path, None, by, "first import", at, quarantine)

    def everything():
        files = {"teams": TEAMS, "workflows": WORKFLOWS, "rules": RULES, "ceilings": CEILINGS}
        return {kind: put(kind, content) for kind, content in files.items()}

    return SimpleNamespace(
        one=put, all=everything, now=NOON, teams=TEAMS, workflows=WORKFLOWS, rules=RULES, ceilings=CEILINGS,
        workflow_header=WORKFLOW_HEADER, rule_header=RULE_HEADER, ceiling_header=CEILING_HEADER,
    )


@pytest.fixture
def sentence(put):
    """`sentence("teams", text)` is the one sentence with which an import of that text is refused."""

    def sentence(kind, content):
        found = put.one(kind, content).refused
        assert len(found) == 1, found
        return found[0].sentence()

    return sentence
