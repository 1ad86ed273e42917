"""Spoiled answers of the grid's publishers: a parser refuses in one sentence or tells what the answer tells, no more.

Each example of Hypothesis is a seed of many payloads, so that the ten thousand of the family take seconds.
"""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT

from pipelines.errors import SourceError
from pipelines.http import read_json
from pipelines.sources import eia, entsoe, neso, watttime
from pipelines.window import Window

DAY = Window.of_days("2026-06-01", "2026-06-01")
EXAMPLES, PAYLOADS_EACH = 140, 25  # of each of the parsers below, more than 10,000 together
JUNK = (None, True, [], {}, "", "x", "NaN", "1e999", "-1", -1, 0, 10**40, Decimal("1e-30"), Decimal("1e400"), [[]],
        "2026-06-01", "2026-06-01T25", "0001-01-01T00", "9999-12-31T23:59Z", "0001-01-01T00:00+14:00", "\x00",
        {"value": 1}, "ann@x.org")


@dataclass(frozen=True)
class Parser:
    """How the rows of a payload are read, and which of their columns are an instant and a number of it."""

    body: bytes
    rows: Callable[[bytes], list[dict]]
    at: str
    value: str
    text: bool = False


def fixture(name):
    return (ROOT / "tests/fixtures" / name).read_bytes()


PARSERS = {
    "neso": Parser(fixture("neso/day.json"), lambda body: list(neso.read(read_json(body), DAY, "asked").rows),
                   "start_utc", "actual_gco2_per_kwh"),
    "eia": Parser(fixture("eia/hours.json"),
                  lambda body: eia.read(read_json(body), "US-MIDA-PJM", DAY, "asked", True)[1], "hour_utc",
                  "net_generation_mwh"),
    "entsoe": Parser(fixture("entsoe/day.xml"), lambda body: entsoe.read(entsoe.read_xml(body), "FR", DAY, "asked")[0],
                     "start_utc", "generation_mw", text=True),
}
PARSERS["watttime"] = Parser(
    json.dumps({"meta": {"region": "CAISO_NORTH", "signal_type": "co2_moer", "units": "lbs_co2_per_mwh",
                         "data_point_period_seconds": 900, "model": {"date": "2023-03-01"}, "warnings": []},
                "data": [{"point_time": f"2026-06-01T{n // 4:02d}:{n % 4 * 15:02d}:00+00:00", "value": 870 + n}
                         for n in range(12)]}).encode(),
    lambda body: list(watttime.read(read_json(body), "US-CAL-CISO", "CAISO_NORTH", DAY, "asked").rows), "point_utc",
    "marginal_lb_co2_per_mwh")


def places(value, found):
    """Every container of a JSON value with each of its keys."""
    for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
        found.append((value, key))
        if isinstance(inner, (dict, list)):
            places(inner, found)
    return found


def spoiled(random: Random, right):
    """The payload after one to three changes of some value, each by junk, by another one of it, or by nothing."""
    value = copy.deepcopy(right)
    for _ in range(random.randint(1, 3)):
        inside = places(value, [])
        where, key = random.choice(inside)
        what = random.random()
        if what < 0.2 and isinstance(where, dict):
            del where[key]
        elif what < 0.3 and isinstance(where, list):
            where.insert(key, where[key])
        elif what < 0.4:
            other, its = random.choice(inside)
            where[key] = copy.deepcopy(other[its])
        else:
            where[key] = copy.deepcopy(random.choice(JUNK))
        if not inside or not value:
            break
    return json.dumps(value, default=str).encode()


def spliced(random: Random, right: bytes) -> bytes:
    """The document after one to three cuts, repetitions, or other characters."""
    text = right
    for _ in range(random.randint(1, 3)):
        start = random.randrange(len(text) + 1)
        end = min(len(text), start + random.choice([1, 1, 2, 5, 20, 200]))
        put = random.choice([b"", text[start:end] * 2, b"<", b"&x;", b"9", b"-", b"NaN", b"\xff", b"2027",
                             b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"</Point>", b"T00:00Z", b"</Period><Period>"])
        text = text[:start] + put + text[end:]
    return text


def told(parser, body) -> set[str]:
    """Every value of a payload, as text."""
    if parser.text:
        return {(element.text or "").strip() for element in entsoe.read_xml(body).iter()}
    return {str(where[key]) for where, key in places(read_json(body), [])}


@pytest.mark.parametrize("name", PARSERS)
@settings(max_examples=EXAMPLES, deadline=None, database=None)
@given(seed=st.integers(0, 2**32))
def test_a_spoiled_answer_is_refused_or_tells_no_more_than_it_says(name, seed):
    parser, random = PARSERS[name], Random(seed)
    right = None if parser.text else json.loads(parser.body)
    for _ in range(PAYLOADS_EACH):
        body = spliced(random, parser.body) if parser.text else spoiled(random, right)
        try:
            rows = parser.rows(body)
        except SourceError as refused:
            assert "\n" not in str(refused) and str(refused).endswith(".")
            continue
        except ValueError as broken:  # what the client takes for an answer that is not whole, and asks again
            assert str(broken)
            continue
        said = told(parser, body)
        for row in rows:
            assert DAY.start_utc <= row[parser.at] < DAY.end_utc and not row[parser.at].minute % 15
            assert row[parser.value] is None or str(row[parser.value]) in said, "a value is one that was sent"


@pytest.mark.parametrize("name", PARSERS)
def test_the_right_answers_are_read(name):
    rows = PARSERS[name].rows(PARSERS[name].body)
    assert len(rows) == {"neso": 47, "eia": 29, "entsoe": 4 + 8 + 7 + 1, "watttime": 12}[name]
    assert len({row[PARSERS[name].at] for row in rows} & {
        datetime(2026, 6, 1, tzinfo=UTC) + timedelta(minutes=15 * n) for n in range(96)}) > 5


def test_the_family_sees_ten_thousand():
    assert EXAMPLES * PAYLOADS_EACH * len(PARSERS) >= 10_000
