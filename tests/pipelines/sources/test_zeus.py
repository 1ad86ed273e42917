"""Zeus' log as stages of runs: seconds and joules by window, added up over GPUs by hand."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import landing
from pipelines.errors import JevonsError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _zeus
from pipelines.sources.run_stages import SOURCE, STAGES
from pipelines.userfiles import File, Refusals
from pipelines.window import Window

LOG = (Path(__file__).parents[2] / "fixtures" / "zeus" / "r7.csv").read_text("utf-8")


def land(home, text, **options):
    (home / "inbox").mkdir(exist_ok=True)
    (home / "scratch").mkdir(exist_ok=True)
    (home / "inbox" / "r7.csv").write_text(text, "utf-8")
    section = {"path": "inbox/*.csv", "format": "zeus", "stages": {"epoch": "forward"}, **options}
    context = Context(Settings(home, "Test", False, {"run_stages": section}, (), ()), home / "scratch")
    staged = landing.stage(SOURCE, SOURCE.tables[0], context, Window.of_days("2026-01-01", "2026-01-01"))
    return landing.commit(staged, (), home, datetime(2026, 7, 1, tzinfo=UTC)), context


def test_windows_of_a_run_are_stages_with_the_joules_of_all_gpus(tmp_path):
    landed, context = land(tmp_path, LOG)
    assert landed.findings == []
    rows = pq.read_table(tmp_path / "raw/run_stages/windows/part.parquet").to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("r7", "epoch", "forward", Decimal("3600.5"), Decimal("2484000.5")),
        ("r7", "epoch 2", "forward", Decimal("3600"), Decimal("2500000")),
        ("r7", "evaluation", "evaluation", Decimal("60.25"), Decimal("18000.375")),
    ]
    assert SOURCE.check(context) == "3 records of run_stages in inbox/*.csv can be read."


@pytest.mark.parametrize(("was", "becomes", "rule"), [
    ("evaluation,60", "warmup,60", "the window 'warmup' is no stage; say in `stages` which it is"),
    ("gpu0_energy,gpu1_energy", "a,b", "the column gpu0_energy is not there"),
    ("9000.125", "nan", "seconds or joules are not numbers"), ("60.25", "-1", "seconds or joules are not numbers"),
])
def test_a_log_that_says_something_else_is_refused_whole(tmp_path, was, becomes, rule):
    landed, _ = land(tmp_path, LOG.replace(was, becomes))
    assert landed.findings[0].rule.startswith(rule)
    assert not (tmp_path / "raw/run_stages/windows/part.parquet").exists()


def test_a_stage_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(JevonsError, match="it is no section of stages"):
        land(tmp_path, LOG, stages={"epoch": "warmup"})


cells = st.sampled_from(["", "0", "-1", "12.5", "nan", "1e400", "1e-400", "epoch", "forward", "\x00", "\u0663"])


@settings(max_examples=2500, deadline=None, database=None)
@given(st.lists(st.lists(cells, min_size=5, max_size=5), max_size=4))
def test_whatever_a_log_holds_a_window_is_one_of_its_lines(tmp_path_factory, lines):
    path, refusals = tmp_path_factory.getbasetemp() / "zeus.csv", Refusals()
    path.write_text("\n".join(",".join(line) for line in [LOG.splitlines()[0].split(","), *lines]), "utf-8")
    rows = list(_zeus.windows([File(path, "zeus.csv")], {"epoch": "forward"}, STAGES, refusals))
    assert len(rows) + len(refusals.all()) == len(lines)
    assert all(row["seconds"] >= 0 and row["energy_j"] >= 0 and row["stage"] == "forward" for row in rows)
