"""Claims of efficiency: what was not said stays empty, and what contradicts itself is refused."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from pipelines.registry.export import current_rows
from pipelines.registry.importer import import_csv
from pipelines.registry.models import KINDS
from pipelines.registry.store import default_url, open_registry

HEADER = ",".join(KINDS["claims"].columns) + "\n"
BARE = {"claim_id": "hundredfold", "claimant": "A vendor", "claim_text": "100x less energy", "claimed_on": "2026-05-04",
        "claim_source": "A talk", "claimed_saving_ratio": "0.99", "functional_unit": "call", "valid_from": "2026-05-04"}
WHOLE = BARE | {
    "workload": "Chats", "baseline": "The model before", "perimeter_type": "organisation",
    "perimeter_id": "organisation", "baseline_start": "2026-01-01", "baseline_end": "2026-02-01",
    "tested_start": "2026-02-01", "tested_end": "2026-03-01"}


@pytest.fixture
def engine(tmp_path):
    engine = open_registry(default_url(tmp_path))
    yield engine
    engine.dispose()


def imported(engine, folder, row):
    line = ",".join(row.get(column, "") for column in KINDS["claims"].columns)
    (folder / "claims.csv").write_text(HEADER + line + "\n")
    return import_csv(engine, folder / "claims.csv", None, "Office", "Said", datetime(2026, 5, 20, tzinfo=UTC))


def test_what_was_not_said_stays_empty(engine, tmp_path):
    assert imported(engine, tmp_path, BARE).accepted == 1
    claim, = current_rows(engine)["claims"]
    assert claim["claimed_saving_ratio"] == Decimal("0.99")
    assert [claim[name] for name in ("workload", "baseline", "hardware", "perimeter_id", "baseline_end")] == [None] * 5
    assert imported(engine, tmp_path, WHOLE).accepted == 1  # a second version, once more is known
    assert imported(engine, tmp_path, WHOLE | {"valid_to": WHOLE["valid_from"]}).accepted == 1
    assert current_rows(engine)["claims"] == []  # withdrawn


@pytest.mark.parametrize(("change", "word"), [
    ({"claimed_saving_ratio": "100"}, "0.99"), ({"claimed_saving_ratio": "0"}, "part of the energy"),
    ({"claimed_saving_ratio": "1"}, "part of the energy"), ({"functional_unit": "token"}, "output_token"),
    ({"perimeter_id": ""}, "type and an id"), ({"perimeter_type": "team", "perimeter_id": "nobody"}, "knows no team"),
    ({"perimeter_id": "all"}, "write organisation"), ({"baseline_end": "2026-01-01"}, "not after baseline_start"),
    ({"baseline_end": ""}, "has no end"), ({"baseline_start": ""}, "(empty)"),
    ({"tested_end": "2026-02-01"}, "not after tested_start"),
    ({"tested_start": "2026-01-31"}, "before the baseline's end"), ({"claimant": ""}, "missing"),
    ({"valid_to": "2026-05-03"}, "not after valid_from"),
])
def test_what_contradicts_itself_is_refused(engine, tmp_path, change, word):
    found = imported(engine, tmp_path, WHOLE | change)
    assert found.accepted == 0 and len(found.refused) == 1
    assert word in found.refused[0].sentence()
