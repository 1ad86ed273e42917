"""Faults of the vendors of coding assistants, and payloads that nobody would send: recovered whole, or refused.

The law is the one of test_fault_matrix: a day that was landed holds what the untroubled day holds, any other is named.
"""

import copy
import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
import requests
import responses
import test_cursor
import test_github_copilot
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.sources import _copilot_reports, cursor, github_copilot
from pipelines.window import Window

DAYS = Window.of_days("2026-06-29", "2026-06-29")
RECOVERED, REFUSED = "recovered", "refused"
ONCE, TWICE, ALWAYS = {1}, {1, 2}, range(1, 1000)


@dataclass(frozen=True)
class Wire:
    """A table, the address of the answer that a fault spoils, and the words that it changes there."""

    tests: object
    fake: type
    table: str
    address: str
    items: str = ""
    count: str = ""
    label: str = ""
    paged: bool = False


WIRES = {
    "copilot report": Wire(test_github_copilot, test_github_copilot.FakeGitHub, "activity", "users-1-day"),
    "copilot file": Wire(test_github_copilot, test_github_copilot.FakeGitHub, "activity", "files.example", "",
                         "user_initiated_interaction_count", "user_login"),
    "copilot seats": Wire(test_github_copilot, test_github_copilot.FakeGitHub, "seats", "/seats", "seats",
                          "created_at", "plan_type", True),
    "copilot credits": Wire(test_github_copilot, test_github_copilot.FakeGitHub, "credits", "ai_credit", "usageItems",
                            "netAmount", "model"),
    "cursor events": Wire(test_cursor, test_cursor.FakeCursor, "events", "filtered-usage-events", "usageEvents",
                          "chargedCents", "model", True),
    "cursor seats": Wire(test_cursor, test_cursor.FakeCursor, "seats", "spend", "", "totalMembers", ""),
}


def status(code, headers=None):
    return lambda wire, answer: (code, headers or {}, json.dumps({"message": "SENTINEL said"}))


def body(text):
    return lambda wire, answer: (answer[0], {}, text(answer[2]) if callable(text) else text)


def reset(wire, answer):
    return requests.ConnectionError("reset SENTINEL")


def stall(wire, answer):
    return requests.ReadTimeout("SENTINEL")


def changed(mutate):
    """The right answer, each line of it changed."""
    def act(wire, answer):
        lines = [json.loads(line) for line in answer[2].splitlines()]
        for value in lines:
            mutate(wire, value)
        return answer[0], {}, "\n".join(json.dumps(value) for value in lines)
    return act


def each(wire, value):
    return value[wire.items] if wire.items else [value]


def put(name, new):
    def mutate(wire, value):
        for item in each(wire, value):
            key = getattr(wire, name, name) or name
            item[key] = new(item[key]) if callable(new) else new
    return changed(mutate)


def dropped(wire, value):
    for item in each(wire, value):
        item.pop(wire.count or "report_day")


def of_day(day):
    """What came is of another day than what was asked for."""
    def mutate(wire, value):
        for key in ("report_day", "day"):
            if key in value:
                value[key] = day.isoformat()
        if "timePeriod" in value:
            value["timePeriod"] = {"year": day.year, "month": day.month, "day": day.day}
        for event in value.get("usageEvents", ()):
            event["timestamp"] = f"{int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())}000"
    return changed(mutate)


def emptied(wire, value):
    value[wire.items or "download_links"] = []


def more_to_come(wire, value):
    if "pagination" in value:
        value["pagination"]["hasNextPage"] = True
    else:
        value["total_seats"] += 100


FAULTS = {
    **{f"{code} for ever": (status(code), ALWAYS, REFUSED)
       for code in (400, 401, 403, 404, 408, 429, 500, 502, 529)},
    **{f"{code} twice": (status(code), TWICE, RECOVERED) for code in (408, 500, 502, 529)},
    "429 with seconds": (status(429, {"Retry-After": "7"}), ONCE, RECOVERED),
    "429 with a date": (status(429, {"Retry-After": "Mon, 22 Jun 2026 10:00:07 GMT",
                                     "Date": "Mon, 22 Jun 2026 10:00:00 GMT"}), ONCE, RECOVERED),
    "a stall": (stall, TWICE, RECOVERED), "a stall for ever": (stall, ALWAYS, REFUSED),
    "wrong content type": (lambda wire, right: (right[0], {"Content-Type": "text/html"}, right[2]), ALWAYS, RECOVERED),
    "reset": (reset, ONCE, RECOVERED), "reset for ever": (reset, ALWAYS, REFUSED),
    "truncated": (body(lambda text: text[:-4]), ONCE, RECOVERED),
    "truncated for ever": (body(lambda text: text[:-4]), ALWAYS, REFUSED),
    "invalid JSON for ever": (body("{]"), ALWAYS, REFUSED),
    "a page of HTML": (body("<html>sign in, SENTINEL@example.org</html>"), ALWAYS, REFUSED),
    "another kind of JSON": (body('[["SENTINEL@example.org"]]'), ALWAYS, REFUSED),
    "shifted window": (of_day(date(2026, 6, 21)), ALWAYS, REFUSED),
    "a bucket of the future": (of_day(date(2027, 8, 3)), ALWAYS, REFUSED),
    # the date to wait for counts from the machine's own date, however wrong its clock is
    "429 with a date of a clock ten hours wrong": (status(429, {
        "Retry-After": "Mon, 22 Jun 2026 20:00:07 GMT", "Date": "Mon, 22 Jun 2026 20:00:00 GMT"}), ONCE, RECOVERED),
    "empty page": (changed(emptied), ALWAYS, REFUSED),
    "endless paging": (changed(more_to_come), ALWAYS, REFUSED),
    "a field missing": (changed(dropped), ALWAYS, REFUSED),
    "numbers as strings": (put("count", str), ALWAYS, REFUSED),
    "a field more": (put("sandbox_surprise", "SENTINEL@example.org"), ALWAYS, RECOVERED),
    "a new value": (put("label", "never-seen-before"), ALWAYS, RECOVERED),
    "names that are null": (put("label", None), ALWAYS, RECOVERED),
}


def applies(name, wire):
    """Some faults need a list, pages, or a window in the answer."""
    if name == "empty page":
        # no credits is an answer of its own: nothing in it tells that there should have been some
        return wire.items not in ("", "usageItems") or wire.address == "users-1-day"
    return {
        "endless paging": wire.paged,
        "shifted window": wire.table != "seats", "a bucket of the future": wire.table != "seats",
        "numbers as strings": wire.count not in ("", "created_at"),
        "a new value": wire.label not in ("", "plan_type"),  # a new plan has no declared price
        "names that are null": wire.label not in ("", "user_login", "plan_type"),
    }.get(name, True)


def landed(wire, home, fault=None, nth=ALWAYS):
    """Totals of the day, and every sentence that was told."""
    tests, fake, seen, source = wire.tests, wire.fake(), [], wire.tests.SOURCE

    def change(request, answer):
        if fault is None or wire.address not in request.url:
            return answer
        seen.append(request)
        return fault(wire, answer) if len(seen) in nth else answer

    fake.change = change
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in (responses.GET, responses.POST):
            mock.add_callback(method, re.compile("https://.*"), callback=fake)
        staged = landing.stage(source, source.table(wire.table), tests.context(home), DAYS)
    done = landing.commit(staged, [], home, tests.FETCHED)
    parts = list((home / "raw").rglob("part.parquet"))
    rows = [row for part in parts for row in pq.read_table(part).to_pylist()]
    totals = Counter({"rows": len(rows)})
    for row in rows:
        totals.update({name: value for name, value in row.items() if type(value) in (int, Decimal)})
    return totals if parts else None, [finding.sentence() for finding in done.findings], str(rows)


@pytest.fixture
def waits(monkeypatch):
    noted = []
    for module, name in ((github_copilot, "client"), (github_copilot, "signed_file"), (cursor, "client")):
        found = getattr(module, name)

        def patient(given, real=found):
            asking = real(given)
            asking.sleep = noted.append
            return asking
        monkeypatch.setattr(module, name, patient)
    return noted


@pytest.mark.parametrize(("wire", "fault"), [
    (wire, fault) for wire in WIRES for fault in FAULTS if applies(fault, WIRES[wire])])
def test_a_fault_is_recovered_from_or_refused_in_one_sentence(wire, fault, waits, tmp_path):
    act, nth, expected = FAULTS[fault]
    right, told, _ = landed(WIRES[wire], tmp_path / "right")
    assert right and told == []
    try:
        got, told, rows = landed(WIRES[wire], tmp_path / "spoiled", act, nth)
    except SourceError as refusal:
        got, told, rows = None, [str(refusal)], ""
    assert (got == right if expected == RECOVERED else got is None and told), (got, told)
    for sentence in [*told, rows]:
        assert "\n" not in sentence and "SENTINEL" not in sentence.replace("SENTINEL said", "")
    if fault.startswith("429 with"):
        assert waits == [7]


NAMES = ["day", "user_id", "timestamp", "userEmail", "tokenUsage", "token_usage", "feature", "model", "totals_by_cli",
         "totals_by_feature", "totals_by_model_feature", "request_count", "chargedCents", "usageItems", "timePeriod",
         "year", "netAmount", "prompt_tokens_sum", "output_tokens_sum", "inputTokens", "assignee", "created_at",
         *_copilot_reports.COUNTS.values()]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 10**19), st.text(max_size=8), st.just("2026-06-29"),
    st.sampled_from(["x@y", "NaN", "1781000000000", "-1"]), st.decimals(allow_nan=True, allow_infinity=True))
VALUES = st.recursive(LEAVES, lambda inner: st.one_of(
    st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)), max_leaves=4)


BASES = [*test_github_copilot.USERS, test_cursor.event(), test_github_copilot.credit()]


def spoiled(record, value):
    """The record with the value in each of its places, however deep."""
    for name in record if isinstance(record, dict) else range(len(record)) if isinstance(record, list) else ():
        copied = copy.copy(record)
        copied[name] = value
        yield copied
        for deeper in spoiled(record[name], value):
            copied = copy.copy(record)
            copied[name] = deeper
            yield copied


@settings(max_examples=8, deadline=None, database=None)
@given(changes=st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3), min_size=20, max_size=20),
       values=st.lists(VALUES, min_size=20, max_size=20))
def test_no_payload_crashes_a_parser_and_none_invents_a_row(changes, values):
    """Payloads for each of four parsers: whole ones of another shape, and true ones that were changed in one place."""
    records = [*values, *({**base, **change} for base in BASES for change in changes),
               *(each for base in BASES for value in values for each in spoiled(base, value))]
    assert len(records) * 8 >= 10_000
    for record in records:
        parse(record)


def parse(record):
    day = date(2026, 6, 29)
    for added_up in (_copilot_reports.added_up, cursor.added_up):
        rows, findings = added_up([record], day, "here")
        assert len(findings) <= 1 and not (rows and findings)
        assert all(row.get("user_count", row.get("event_count")) == 1 for row in rows)
        assert not any("@" in str(value) for row in rows for value in row.values())
        if not isinstance(record, dict):
            assert findings and not rows
    for body_ in (record, {"timePeriod": {"year": 2026}, "usageItems": [record]}):
        try:
            rows, findings = _copilot_reports.credits_of(body_, {"year": 2026}, day, "here")
            assert len(rows) + len(findings) == len(body_["usageItems"])
        except SourceError as refused:
            assert "\n" not in str(refused)
    try:
        _copilot_reports.seat_of(record, "here")
    except SourceError as refused:
        assert "\n" not in str(refused)
