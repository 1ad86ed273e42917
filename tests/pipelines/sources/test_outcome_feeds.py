"""Outcomes from PostgreSQL, a real Prometheus, and pages such as GitHub's and Jira's: totals by hand, and no people."""

import json
import re
import tempfile
import tomllib
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import duckdb
import pytest
import responses
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from postgresql_server import served as postgresql
from prometheus_server import Samples
from prometheus_server import served as prometheus

from pipelines import http, landing
from pipelines.errors import SourceError
from pipelines.http import Client
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _outcome_feeds, _outcome_rest
from pipelines.sources._outcome_rows import COLUMN_NAMES, Contract
from pipelines.sources.outcomes import SOURCE
from pipelines.userfiles import Refusals
from pipelines.window import Window

D1, D2, D3 = date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 3)
SECRET = "SENTINEL/t0ken"
KIM = {"login": "kim.sentinel", "email": "kim@sentinel.example"}


def context(home: Path, options: dict, **environ: str) -> Context:
    (home / "scratch").mkdir(exist_ok=True)
    return Context(Settings(home, "Test", False, {"outcomes": options}, (), (), environ), home / "scratch")


def land(home: Path, options: dict, **environ: str) -> landing.Landed:
    staged = landing.stage(SOURCE, SOURCE.tables[0], context(home, options, **environ), Window.of_days(D1, D3))
    return landing.commit(staged, (), home, datetime(2026, 7, 1, tzinfo=UTC))


def rows(home: Path) -> list[tuple]:
    found = sorted(str(path) for path in home.glob("raw/outcomes/outcomes/*/part.parquet"))
    return [(f"{day:%m-%d}", *rest) for day, *rest in duckdb.sql(
        f"select {', '.join(COLUMN_NAMES)} from read_parquet({found}, hive_partitioning = false) order by all"
    ).fetchall()] if found else []


def told(landed: landing.Landed) -> list[tuple]:
    return [(finding.where.rpartition(", ")[2], finding.rule, finding.day) for finding in landed.findings]


# PostgreSQL

QUERY = """
    select cast(day as date) as usage_date, workflow as workflow_id, 'ticket' as outcome_type,
        sum(solved) as outcome_count, cast(null as bigint) as accepted_count
    from solved where day >= :first and day < :end group by day, workflow
"""


@pytest.fixture(scope="module")
def database():
    with tempfile.TemporaryDirectory() as folder, postgresql(Path(folder) / "pg") as url:
        engine = sqlalchemy.create_engine(url)
        with engine.begin() as connection:
            connection.exec_driver_sql("create table solved (day date, workflow text, solved bigint)")
            connection.exec_driver_sql("create sequence numbers")
            connection.exec_driver_sql(
                "insert into solved values ('2026-05-31', 'a', 9), ('2026-06-01', 'a', 2), ('2026-06-01', 'a', 3), "
                "('2026-06-03', 'b', 7), ('2026-06-04', 'b', 9)")
        engine.dispose()
        yield url.replace("jevons@", "jevons:SENTINEL%2Ft0ken@")


def test_a_query_on_postgresql_lands_the_days_asked_for(tmp_path, database):
    assert land(tmp_path, {"query": QUERY}, OUTCOMES_DATABASE_URL=database).findings == []
    assert rows(tmp_path) == [("06-01", "a", "ticket", 5, None), ("06-03", "b", "ticket", 7, None)]


@pytest.mark.parametrize("query", [
    "with gone as (delete from solved where day >= :first and day < :end returning day) select * from gone",
    "select nextval('numbers') as outcome_count where now() >= :first or now() < :end",  # which no rollback takes back
])
def test_a_query_changes_nothing_on_postgresql_and_the_password_is_not_told(tmp_path, database, query):
    with pytest.raises(SourceError, match="read-only transaction|must not contain data-modifying") as refused:
        land(tmp_path, {"query": query}, OUTCOMES_DATABASE_URL=database)
    with pytest.raises(SourceError) as unknown:
        land(tmp_path, {"query": QUERY}, OUTCOMES_DATABASE_URL=database.replace("/postgres", "/nobody"))
    assert "SENTINEL" not in f"{refused.value!r} {unknown.value!r}"
    engine = sqlalchemy.create_engine(database)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from solved").scalar() == 5
        assert connection.exec_driver_sql("select is_called from numbers").scalar() is False
    engine.dispose()


# Prometheus

@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """An hourly counter over two days, restarted on the second; a gauge of the day's letters that is silent on one."""
    samples, start = Samples(), int(datetime(2026, 6, 1, tzinfo=UTC).timestamp())
    for hour in range(49):
        value = 3 * hour if hour <= 30 else 2 * (hour - 30)  # 3 an hour; from 30 on it began again with 2 an hour
        samples.add("solved_total", {"workflow": "a", "pod": "x"}, str(start + 3600 * hour), str(value))
        samples.add("solved_total", {"workflow": "a", "pod": "y"}, str(start + 3600 * hour), str(hour))
    for day, value in ((1, "4"), (3, "6.5")):
        samples.add("letters", {"workflow": "a", "kind": "letter"}, str(start + 86_400 * day - 60), value)
        samples.add("letters", {"workflow": "b", "kind": "card"}, str(start + 86_400 * day - 60), "7")
    with prometheus(samples, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


def test_a_counter_is_counted_by_day_through_a_restart(tmp_path, server):
    options = {"promql": "round(sum by (workflow) (increase(solved_total[1d])))", "base_url": server,
               "workflow_label": "workflow", "outcome_type": "ticket"}
    landed = land(tmp_path, options)
    # day 1: 24 x 3 + 24 x 1; day 2: 6 x 3 until the restart, 18 x 2 after it, 24 x 1
    assert rows(tmp_path) == [("06-01", "a", "ticket", 96, None), ("06-02", "a", "ticket", 78, None)]
    assert landed.missing == [D3] and landed.findings == []
    assert landed.receipts[0].requests[0].startswith("POST /api/v1/query_range?query=round")
    assert re.fullmatch(r"Prometheus [\d.]+\S* answers; round\(.*\) gives 0 series for 2026-01-01\.",
                        SOURCE.check(context(tmp_path, options)))


def test_a_day_without_series_is_missing_and_a_fraction_is_no_count(tmp_path, server):
    landed = land(tmp_path, {"promql": "letters", "base_url": server, "workflow_label": "workflow",
                             "outcome_label": "kind"})
    assert rows(tmp_path) == [("06-01", "a", "letter", 4, None), ("06-01", "b", "card", 7, None)]
    assert landed.missing == [D2] and landed.quarantined == [D3]
    assert told(landed) == [("value 4", "'6.5' is not a whole number; increase() extrapolates, so write "
                             "round(increase(...))", "2026-06-03")]


def test_two_series_of_one_workflow_are_not_silently_one(tmp_path, server):
    landed = land(tmp_path, {"promql": "solved_total", "base_url": server, "workflow_label": "workflow",
                             "outcome_type": "ticket"})
    assert {rule for _, rule, _ in told(landed)} == {
        "two series have one workflow and type; add them up with sum by (...)"}
    assert rows(tmp_path) == []


# Pages

def issue(number: int, closed: str | None, reason: str = "completed", label: str = "claims", **more) -> dict:
    return {"id": 1000 + number, "title": "Kim Sentinel wants her money", "user": KIM, "closed_by": KIM,
            "state": "closed" if closed else "open", "state_reason": reason if closed else None, "closed_at": closed,
            "repository": {"name": label}, "comments": 3, **more}


ISSUES = [
    issue(1, "2026-05-31T23:59:59Z"), issue(2, "2026-06-01T00:00:00Z"), issue(3, "2026-06-01T12:00:00Z", "not_planned"),
    issue(4, "2026-06-01T13:00:00Z", pull_request={"url": "..."}), issue(5, None),
    issue(6, "2026-06-01T23:30:00Z"), issue(7, "2026-06-03T01:30:00+02:00"),
    issue(8, "2026-06-03T10:00:00Z", label="hr"),
]
GITHUB = {
    "url": "https://api.github.test/repos/ours/desk/issues", "token_env": "GITHUB_TOKEN", "paging": "link",
    "params": {"state": "closed", "since": "{first}T00:00:00Z"}, "page_size": 3, "bounded": False, "id": "/id",
    "instant": "/closed_at", "absent": ["/pull_request"], "workflow": "/repository/name",
    "workflows": {"claims": "claims-triage", "*": "other"}, "outcome_type": "solved issue",
    "accepted": "/state_reason", "accepted_values": ["completed"],
}
JIRA = {
    "url": "https://jira.test/rest/api/2/search", "token_env": "JIRA_LOGIN", "auth": "basic", "paging": "start_at",
    "params": {"jql": 'resolved >= "{first}" and resolved < "{end}" order by key'}, "size_param": "maxResults",
    "page_size": 50, "items": "/issues", "total": "/total", "id": "/key", "instant": "/fields/resolutiondate",
    "workflow_id": "support", "outcome": "/fields/issuetype/name", "keep": {"/fields/status/name": ["Done"]},
}


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setattr(http.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(_outcome_feeds, "Client", lambda *words, **more: replace(
        Client(*words, **more), sleep=lambda seconds: None))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def github(request):
    """GitHub's pages: at most three a page here, the next one's address in a header."""
    asked = dict(parse_qsl(urlsplit(request.url).query))
    if request.headers.get("Authorization") != f"Bearer {SECRET}":
        said = {"message": f"Bad credentials {request.headers.get('Authorization')}", "user": KIM}
        return 401, {}, json.dumps(said)
    assert (asked["state"], asked["since"]) == ("closed", "2026-05-31T00:00:00Z")
    first = 3 * (int(asked.get("page", 1)) - 1)
    link = f'<{GITHUB["url"]}?state=closed&since=2026-05-31T00%3A00%3A00Z&per_page=3&page={first // 3 + 2}>; rel="next"'
    return 200, {"Link": link} if first + 3 < len(ISSUES) else {}, json.dumps(ISSUES[first:first + 3])


def jira(request):
    """Jira's pages: the server caps them at two, whatever is asked for."""
    asked = dict(parse_qsl(urlsplit(request.url).query))
    if request.headers.get("Authorization") != http.basic(f"bot:{SECRET}"):
        return 401, {}, json.dumps({"message": f"bot {SECRET} may not"})
    assert asked["jql"] == 'resolved >= "2026-05-31" and resolved < "2026-06-05" order by key'
    issues = [{"key": f"SUP-{number}", "fields": {
        "resolutiondate": at, "status": {"name": status}, "issuetype": {"name": kind}, "reporter": KIM}}
        for number, (at, status, kind) in enumerate([
            ("2026-06-01T10:00:00.000+0000", "Done", "Bug"), ("2026-06-01T11:00:00.000+0000", "Done", "Bug"),
            ("2026-06-01T12:00:00.000+0000", "Dropped", "Bug"), ("2026-06-02T01:00:00.000+0200", "Done", "Request"),
            ("2026-06-04T00:00:00.000+0000", "Done", "Bug")])]
    first = int(asked["startAt"])
    return 200, {}, json.dumps({"startAt": first, "maxResults": 2, "total": 5, "issues": issues[first:first + 2]})


def test_issues_of_github_are_counted_by_day_and_workflow(tmp_path, web):
    web.add_callback("GET", GITHUB["url"], github)
    landed = land(tmp_path, GITHUB, GITHUB_TOKEN=SECRET)
    assert landed.findings == [] and landed.missing == []
    # 2, 3 and 6 on the first (3 was not planned); 7 at 23:30 UTC of the second; 4 is no issue, 1 before, 5 still open
    assert [(day, workflow, *counts) for day, workflow, _, *counts in rows(tmp_path)] == [
        ("06-01", "claims-triage", 3, 2), ("06-02", "claims-triage", 1, 1), ("06-03", "other", 1, 1)]
    assert len(web.calls) == 3


def test_issues_of_jira_are_read_to_their_end_whatever_the_page_s_size(tmp_path, web):
    web.add_callback("GET", JIRA["url"], jira)
    assert land(tmp_path, JIRA, JIRA_LOGIN=f"bot:{SECRET}").findings == []
    # 01:00+02:00 of the second is 23:00 of the first
    assert rows(tmp_path) == [("06-01", "support", "Bug", 2, None), ("06-01", "support", "Request", 1, None)]
    assert len(web.calls) == 3


def test_several_feeds_land_in_one_table_and_only_days_that_all_of_them_tell(tmp_path, web, server):
    web.add_callback("GET", JIRA["url"], jira)
    web.add_passthru(server)
    options = {"feeds": {"jira": JIRA, "desk": {
        "promql": "round(sum by (workflow) (increase(solved_total[1d])))", "base_url": server,
        "workflow_label": "workflow", "outcome_type": "ticket"}}}
    landed = land(tmp_path, options, JIRA_LOGIN=f"bot:{SECRET}")
    assert rows(tmp_path) == [("06-01", "a", "ticket", 96, None), ("06-01", "support", "Bug", 2, None),
                              ("06-01", "support", "Request", 1, None), ("06-02", "a", "ticket", 78, None)]
    assert landed.missing == [D3]
    both = {"feeds": {"one": JIRA, "two": JIRA}}
    assert told(land(tmp_path / "..", both, JIRA_LOGIN=f"bot:{SECRET}"))[0][1:] == (
        "2 feeds count 'Bug' of support for 2026-06-01", "2026-06-01")


def test_no_person_and_no_secret_is_kept_or_told(tmp_path, web, caplog):
    web.add_callback("GET", GITHUB["url"], github)
    web.add_callback("GET", JIRA["url"], jira)
    said = [repr(land(tmp_path, GITHUB, GITHUB_TOKEN=SECRET))]
    for options, environ in ((GITHUB, {"GITHUB_TOKEN": "SENTINEL+wrong/key"}), (JIRA, {"JIRA_LOGIN": f"ann:{SECRET}"})):
        with pytest.raises(SourceError, match="the key was refused") as refused:
            land(tmp_path, options, **environ)
        said.append(f"{refused.value} {refused.value!r}")
    with pytest.raises(SourceError, match="GITHUB_TOKEN.*is not set"):
        land(tmp_path, GITHUB)
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"SENTINEL" not in kept and b"entinel" not in kept
    assert "entinel" not in (caplog.text + "".join(said)).lower()


@pytest.mark.parametrize(("body", "why"), [
    ({"issues": {}, "total": 1}, "there is no list at /issues"),
    ({"items": [], "total": 0}, "there is no list at /issues"),
    ({"issues": [], "total": 3}, "it holds 0 of the 3 items that it tells"),
    ({"issues": [], "total": "many"}, "it tells no number of items at /total"),
    ({"issues": [], "total": 0, "incomplete_results": True}, "it says itself that its results are incomplete"),
])
def test_an_answer_that_cannot_be_the_whole_list_is_refused(tmp_path, web, body, why):
    web.get(JIRA["url"], json=body)
    with pytest.raises(SourceError, match=re.escape(why)):
        land(tmp_path, JIRA, JIRA_LOGIN="bot:password")


def test_a_list_that_changes_or_leads_elsewhere_while_it_is_read_is_refused(tmp_path, web):
    first = json.loads(jira(type("Asked", (), {
        "url": JIRA["url"] + "?startAt=0&jql=" + 'resolved >= "2026-05-31" and resolved < "2026-06-05" order by key',
        "headers": {"Authorization": http.basic(f"bot:{SECRET}")}}))[2])
    web.get(JIRA["url"], json=first)
    web.get(JIRA["url"], json={**first, "issues": [{**first["issues"][0], "key": "SUP-9"}], "total": 4})
    with pytest.raises(SourceError, match="the list changed while it was read"):
        land(tmp_path, JIRA, JIRA_LOGIN="bot:password")
    web.get(GITHUB["url"], json=ISSUES[:3], headers={"Link": '<https://elsewhere.test/?page=2>; rel="next"'})
    with pytest.raises(SourceError, match="the next page is on another machine"):
        land(tmp_path, GITHUB, GITHUB_TOKEN=SECRET)


def test_a_server_that_gives_the_first_page_whatever_is_asked_for_is_refused(tmp_path, web):
    web.get(GITHUB["url"], json=ISSUES[:3])
    with pytest.raises(SourceError, match="it brings nothing that the pages before did not"):
        land(tmp_path, {**GITHUB, "paging": "page"}, GITHUB_TOKEN=SECRET)
    assert len(web.calls) == 2


@pytest.mark.parametrize(("change", "rule", "day"), [
    ({"closed_at": "yesterday"}, "'yesterday' is not an ISO 8601 instant", None),
    ({"closed_at": "2026-06-02T10:00:00"}, "it has no time zone and none is declared", None),
    ({"id": None}, "it has no id", None),
    ({"repository": {"name": 5}}, "/repository/name is no text", "2026-06-01"),
    ({"repository": None}, "/repository/name is no text", "2026-06-01"),
    ({"id": 1001}, "an item of the same id was different before", None),
])
def test_an_item_that_says_something_else_is_a_finding_of_its_day(tmp_path, web, change, rule, day):
    web.get(GITHUB["url"], json=[ISSUES[0], {**ISSUES[1], **change}])
    landed = land(tmp_path, GITHUB, GITHUB_TOKEN=SECRET)
    assert told(landed) == [("item 2", rule, day)]
    assert landed.changed == ([D2, D3] if day else [])


@pytest.mark.parametrize(("change", "why"), [
    ({"paging": "scroll"}, "paging = 'scroll' is not known"),
    ({"paging": "cursor"}, "paging by cursor needs `next`"),
    ({"url": "ftp://x"}, "`url` is not an http address"),
    ({"workflow_id": "x"}, "it needs either `workflow_id` or `workflow`"),
    ({"accepted_values": 5}, "`accepted_values` is no list of names"), ({"page_size": "50"}, "`page_size` is not 0 to"),
    ({"keep": {"/state": "closed"}}, "`keep` names no lists"), ({"colour": "red"}, "`colour` means nothing here"),
    ({"params": {"per_page": 5}}, "`params` is no section of names"),
    ({"auth": "digest"}, "auth = 'digest' is not known"),
])
def test_a_mapping_that_is_not_written_rightly_is_refused(tmp_path, change, why):
    with pytest.raises(SourceError) as refused:
        land(tmp_path, {"feeds": {"desk": {**GITHUB, **change}}}, GITHUB_TOKEN=SECRET)
    assert f"(jevons.toml, sources.outcomes.feeds.desk): {why}" in str(refused.value)


# Whatever an item holds: a finding or an outcome of the window, never another end

texts = st.sampled_from(["", "claims", "2026-06-01T10:00:00Z", "2026-06-02T10:00:00+0200", "0001-01-01T00:00:00+14:00",
                         "9999-12-31T23:59:59-12:00", "2026-02-30T10:00:00Z", "\x00", "kim@sentinel.example", "١٢"])
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts)
anything = st.recursive(leaves, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2),
                        max_leaves=3)
fields = st.fixed_dictionaries({}, optional={
    "id": leaves, "closed_at": texts | leaves, "pull_request": leaves, "state_reason": leaves, "points": leaves,
    "repository": st.dictionaries(st.just("name"), leaves, max_size=1) | anything})
bodies = st.lists(fields | anything, max_size=4)


@settings(max_examples=2500, deadline=None, database=None)
@given(bodies)
def test_whatever_the_items_are_they_are_counted_or_refused(found):
    window, refusals = Window.of_days(D1, D3), Refusals()
    options = {**GITHUB, "count": "/points", "bounded": True}
    items = _outcome_rest.Items(options, window, window, refusals)
    items.take(found, "page")
    contract = Contract({name: name for name in COLUMN_NAMES}, frozenset(), "sources.outcomes", refusals)
    passed = [record for row in items.rows("page") if (record := contract.row(row, window, None, True))]
    whole = [item for item in found if isinstance(item, dict) and isinstance(item.get("repository"), dict)]
    assert len(passed) <= len(whole)
    assert all(record["usage_date"] in window and record["outcome_count"] >= 0 for record in passed)
    assert not any("sentinel" in f"{finding}" for finding in refusals.all())


def test_the_settings_of_the_document_are_settings(tmp_path):
    text = (Path(__file__).parents[3] / "docs" / "outcomes.md").read_text("utf-8")
    feeds = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])["sources"]["outcomes"]["feeds"]
    found = _outcome_feeds.feeds_of(context(tmp_path, {"feeds": feeds}))
    assert [feed.kind for feed in found] == ["promql", "url", "url"]
