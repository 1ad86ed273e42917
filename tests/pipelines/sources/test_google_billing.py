"""Google Cloud's own billing export in the source focus: charges, credits and tokens by hand, once beside Vertex."""

import copy
import gzip
import json
import random
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from models_over_home import models_over

from pipelines import engine, landing
from pipelines.declared import Provider
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _files, _focus_charges, focus
from pipelines.sources.focus import SOURCE
from pipelines.window import Window

ROWS = [json.loads(line) for line in
        (Path(__file__).parents[2] / "fixtures/google_billing/export.jsonl").read_text("utf-8").splitlines()]
DAY = Window.of_days("2026-06-02", "2026-06-02")
FETCHED = datetime(2026, 7, 1, tzinfo=UTC)


def context(home, vertex=False, record=None, **options):
    (home / "scratch").mkdir(exist_ok=True)
    (home / "inbox").mkdir(exist_ok=True)
    sources = {"focus": {"path": "inbox/*", "workflow_tag": "team", **options}}
    providers = (Provider("vertex", None, record),) if record else ()
    return Context(Settings(home, "Test", False, sources | ({"vertex": {}} if vertex else {}), (), providers, {}),
                   home / "scratch")


def put(home, rows, name="export.jsonl"):
    (home / "inbox").mkdir(exist_ok=True)
    said = "".join(json.dumps(row) + "\n" for row in rows).encode()
    (home / "inbox" / name).write_bytes(gzip.compress(said) if name.endswith(".gz") else said)


def land(home, window=DAY, **more):
    staged = landing.stage(SOURCE, SOURCE.tables[0], context(home, **more), window)
    return staged, landing.commit(staged, [], home, FETCHED)


def landed(home, sql):
    duck = duckdb.connect()
    duck.execute(f"create view charges as from read_parquet('{home}/raw/focus/charges/dt=*/part.parquet')")
    return duck.execute(f"select {sql}" if " from " in sql else f"select {sql} from charges").fetchall()


def test_own_values_become_spend_credits_and_tokens(tmp_path):
    put(tmp_path, ROWS)
    staged, done = land(tmp_path)
    assert (done.findings, done.changed) == ([], [date(2026, 6, 2)])
    assert staged.warnings == ["9 of 10 charges are of AI"]  # seven of eight, and two credits
    ask = models_over(tmp_path, "int_focus__activity")
    # vertex, label of the project: 0.3 + 0.006; credits, what is stored by the hour and a picture are money alone,
    # -0.05 - 0.01 + 0.5 + 0.04. South: the label of the use comes before that of the project
    assert ask("""
        select provider, model_reported, project_id, workflow_tag, node, input_tokens, cached_input_tokens,
            output_tokens, cost_usd, call_count from int_focus__activity order by provider, input_tokens, cost_usd
    """) == [
        ("google_genai", "gemini-2.5-flash-lite", "acme-ai", "north", "google:global", 100_000, 0, 10_000,
         Decimal("0.014"), None),
        ("vertex", "gemini-2.5-flash", "acme-ai", "south", "google:europe-west4", 0, 0, 10_000, Decimal("0.025"), None),
        ("vertex", "gemini-2.5-flash", "acme-ai", "north", "google:europe-west4", 1_000_000, 200_000, 0,
         Decimal("0.306"), None),
        ("vertex", None, "acme-ai", "north", None, None, None, None, Decimal("0.48"), None),
    ]
    assert landed(tmp_path, "charge_category, sum(billed_cost_usd), sum(consumed_quantity) from charges "
                            "group by all order by 1") == [
        ("Credit", Decimal("-0.06"), None), ("Usage", Decimal("0.885"), 1_320_006)]
    written = b"".join(path.read_bytes() for path in (tmp_path / "raw").rglob("*") if path.is_file())
    assert b"SENTINEL" not in written


def test_parquet_and_packed_lines_give_the_same(tmp_path):
    told = []
    for name in ("export.jsonl", "export.jsonl.gz", "export.parquet"):
        home = tmp_path / name
        home.mkdir()
        put(home, ROWS, name)
        if name.endswith("parquet"):
            rows = copy.deepcopy(ROWS)
            for row in rows:
                row.update({name: datetime.fromisoformat(row[name].replace(" UTC", "+00:00"))
                            for name in ("usage_start_time", "usage_end_time", "export_time")})
            pq.write_table(pa.Table.from_pylist(rows), home / "inbox" / name)
        land(home)
        told.append(landed(home, "* exclude (charge_count)"))
    assert told[0] == told[1] == told[2] and len(told[0]) == 8  # both credits are one row


def test_tokens_are_counted_once_beside_vertex(tmp_path):
    put(tmp_path, ROWS)
    staged, _ = land(tmp_path, vertex=True)
    assert staged.warnings[1].startswith("[sources.vertex] tells the tokens of vertex: the bill's count as money alone")
    assert {kind for provider, kind in landed(tmp_path, "provider, token_kind") if provider == "vertex"} == {None}
    assert {kind for provider, kind in landed(tmp_path, "provider, token_kind") if provider == "google_genai"} == {
        "input", "output"}
    assert landed(tmp_path, "sum(effective_cost_usd)") == [(Decimal("0.825"),)]
    # once somebody has said whose account is booked, both are told: one of them is a reconciliation row
    staged, _ = land(tmp_path, vertex=True, record="vertex")
    assert len(staged.warnings) == 1
    assert {"input", "cached_input", "output"} <= {
        kind for provider, kind in landed(tmp_path, "provider, token_kind") if provider == "vertex"}


def test_what_comes_later_adds_and_what_comes_twice_is_refused(tmp_path):
    put(tmp_path, ROWS)
    late = copy.deepcopy(ROWS[1]) | {"export_time": "2026-06-05 04:00:00 UTC"}
    correction = copy.deepcopy(ROWS[0]) | {"export_time": "2026-06-05 04:00:00 UTC", "cost": -0.3, "credits": [],
                                           "cost_type": "adjustment"}
    correction["usage"]["amount"] = -1_000_000.0
    put(tmp_path, [late, correction], "later.jsonl")
    _, done = land(tmp_path)
    assert done.findings == []
    # the same hour came once more, of another export; and the first million was taken back
    assert landed(tmp_path, "sum(effective_cost_usd), sum(consumed_quantity) filter (token_kind = 'input' and "
                            "provider = 'vertex')") == [(Decimal("0.55"), 0)]
    put(tmp_path, [late, ROWS[5]], "again.jsonl")
    assert "the same charge is in two files" in land(tmp_path)[1].findings[0].sentence()


@pytest.mark.parametrize(("change", "rule", "day"), [
    ({"currency": "EUR"}, "EUR is not USD", "2026-06-02"), ({"cost": "much"}, "not a decimal number", "2026-06-02"),
    ({"cost": None}, "it is empty", "2026-06-02"), ({"usage_start_time": "June"}, "ISO 8601", None),
    ({"credits": [{"name": "SENTINEL"}]}, "it is empty", "2026-06-02"),
    ({"usage": {"amount": {}, "unit": "count"}}, "not a decimal number", "2026-06-02"),
])
def test_a_record_that_does_not_fit_holds_its_day_back(tmp_path, change, rule, day):
    put(tmp_path, [ROWS[1], ROWS[0] | change])
    _, done = land(tmp_path)
    assert rule in done.findings[0].sentence() and done.findings[0].day == day
    assert "SENTINEL" not in done.findings[0].sentence() and done.changed == []
    with pytest.raises(SourceError, match=rule):
        SOURCE.check(context(tmp_path))


@pytest.mark.parametrize(("line", "said"), [
    ("{", "record 2.*not whole JSON"), ("[1]", "not the columns"), ('{"cost": 1}', "not the columns"),
    (json.dumps(ROWS[0] | {"credits": {"amount": -1}}), "not the columns"),
])
def test_what_is_no_export_is_refused_in_a_sentence(tmp_path, line, said):
    put(tmp_path, ROWS[:1])
    with (tmp_path / "inbox/export.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(SourceError, match=said):
        land(tmp_path)


def test_of_ten_thousand_records_at_random_each_is_counted_or_refused(tmp_path):
    """One file whose fields are drawn from what exports hold and should not; Python decides beside SQL."""
    draw = random.Random(7).choice
    numbers = [1.5, -0.25, 0, "1e-7", 2] * 5 + [None, True, "NaN", {}, [], "x", 10**20]
    known = {1.5, -0.25, 0, "1e-7", 2}
    rows = [copy.copy(draw(ROWS)) | {
        "cost": draw(numbers), "credits": draw([[], [], None, [{"amount": draw(numbers)}], [7]]),
        "currency": draw(["USD"] * 9 + ["", None, 7]), "usage": draw([{}, None, 3, {"amount": draw(numbers)}]),
        "labels": draw([[], None, "x", [1], [{"key": None}], {"key": 2}]),
        "sku": draw([{"description": "Claude"}] * 3 + [None, [], {"description": 5}, {"description": {"a": 1}}]),
        "project": draw([None, "who@SENTINEL.example", {"id": 5, "labels": 7}]),
        "usage_end_time": draw(["2026-06-03 00:00:00 UTC"] * 5 + [None, "?", "2026-06-01T00:00:00Z"]),
    } for _ in range(10_000)]
    put(tmp_path, rows)

    def number(value):
        good = not isinstance(value, (bool, list, dict)) and value in known
        return Decimal(str(value)) if good else None

    total, many = Decimal(0), 0
    for row in rows:
        sku = row["sku"]["description"] if isinstance(row["sku"], dict) else None
        if row["service"]["description"] == "Compute Engine" and sku != "Claude":
            continue
        amount = row["usage"].get("amount") if isinstance(row["usage"], dict) else None
        fits = row["currency"] == "USD" and row["usage_end_time"] == "2026-06-03 00:00:00 UTC"
        credits = [each.get("amount") if isinstance(each, dict) else None for each in row["credits"] or []]
        costs = [number(each) for each in (row["cost"], *credits)]  # of a record, all is good or nothing
        if fits and None not in costs and (amount is None or number(amount) is not None):
            total, many = total + sum(costs), many + len(costs)
    with engine.connect(tmp_path / "scratch") as duck:
        (tmp_path / "scratch").mkdir(exist_ok=True)
        given = _files.matching(tmp_path, "inbox/*")
        _focus_charges.load(duck, given, focus._is_ai(focus._options(context(tmp_path))))
        _focus_charges.by_day(duck, {"tag": "json_extract_string(Tags, '$.team')"}, focus.SUMS, DAY)
        assert duck.execute("select sum(billed_cost_usd), sum(charge_count) from days").fetchone() == (total, many)
        sentences = [finding.sentence() for finding in _focus_charges.refusals(duck, given, DAY).all()]
    assert many > 1000 and sentences and not any("SENTINEL" in each or "\n" in each for each in sentences)
