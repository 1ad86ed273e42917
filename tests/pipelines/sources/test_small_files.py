"""Sources of small files: evaluations, quality_bars, run_stages and measurements, from the file to the landed table."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Column, Context
from pipelines.sources import evaluations, measurements, quality_bars, run_stages
from pipelines.sources._typed_texts import Wrong, typed
from pipelines.window import Window

FILES = {
    "evaluations": (evaluations.SOURCE, (
        "model_id,hardware,task,metric,quality_score,quality_low,item_count,energy_wh_per_item_low,energy_wh_per_item,"
        "energy_wh_per_item_high,energy_boundary,evaluated_date,evaluated_by\n"
        "own/a,1x H100,qa,accuracy,0.81,0.78,500,0.1,0.125,0.2,gpu,2026-06-01,lab\n"
        "own/b,,qa,accuracy,0.9,,500,,,,,2026-06-01,lab\n"
    ), "model_id, hardware, quality_score, quality_low, energy_wh_per_item, batch_size, evaluated_date", [
        ("own/a", "1x H100", Decimal("0.810000"), Decimal("0.780000"), Decimal("0.125000000"), None, date(2026, 6, 1)),
        ("own/b", None, Decimal("0.900000"), None, None, None, date(2026, 6, 1)),
    ]),
    "quality_bars": (quality_bars.SOURCE, (
        "workflow_id,task,metric,minimum_quality,set_by,reason,valid_from\n"
        "w,qa,accuracy,0.8,Head of Care,people,2026-06-01\n"
    ), "workflow_id, minimum_quality, valid_from", [("w", Decimal("0.800000"), date(2026, 6, 1))]),
    "run_stages": (run_stages.SOURCE, (
        "run_id,window_name,stage,seconds,energy_j\nr,step-1,forward,1.5,400.25\nr,step-2,forward,1.5,400.25\n"
    ), "window_name, stage, energy_j", [
        ("step-1", "forward", Decimal("400.250")), ("step-2", "forward", Decimal("400.250"))]),
    "measurements": (measurements.SOURCE, (
        "measurement_id,comparison_id,subject,phase,energy_wh_per_unit_low,energy_wh_per_unit,energy_wh_per_unit_high,unit,"
        "measured_date,measured_by\nm1,c,x,before,0.9,1,1.1,request,2026-06-01,lab\nm2,c,x,after,,0.5,,request,2026-06-02,lab\n"
    ), "measurement_id, phase, energy_wh_per_unit, batch_size", [
        ("m1", "before", Decimal("1.000000000"), None), ("m2", "after", Decimal("0.500000000"), None)]),
}


def land(home, name, text, **options):
    source = FILES[name][0]
    (home / "scratch").mkdir(exist_ok=True)
    (home / f"{name}.csv").write_text(text)
    options = {"path": f"{name}.csv", **options}
    context = Context(Settings(home, "Test", False, {name: options}, (), (), {}), home / "scratch")
    staged = landing.stage(source, source.tables[0], context, Window.of_days("2026-06-01", "2026-06-01"))
    return landing.commit(staged, (), home, datetime(2026, 9, 1, tzinfo=UTC)), context


@pytest.mark.parametrize("name", FILES)
def test_a_table_lands_whole_and_typed(tmp_path, name):
    source, text, columns, expected = FILES[name]
    done, context = land(tmp_path, name, text)
    assert done.findings == [] and done.changed == [None]
    path = tmp_path / f"raw/{name}/{source.tables[0].name}/part.parquet"
    assert duckdb.sql(f"select {columns} from read_parquet('{path}') order by all").fetchall() == expected
    assert land(tmp_path, name, text)[0].changed == []
    many = len(expected)
    assert source.check(context) == f"{many} record{'s' * (many > 1)} of {name} in {name}.csv can be read."


@pytest.mark.parametrize("name, before, after, where, rule", [
    ("evaluations", "0.81,0.78", "0.81,0.82", "line 2, field quality_score", "outside of its own range"),
    ("evaluations", "0.1,0.125,0.2", "0.1,0.125,", "line 2, field energy_wh_per_item", "both ends"),
    ("evaluations", "0.2,gpu", "0.2,", "line 2, field energy_boundary", "it is empty, and there is energy"),
    ("evaluations", "0.2,gpu", "0.2,rack", "line 2, field energy_boundary", "'rack' is none of gpu, node, facility"),
    ("evaluations", ",lab\nown/b", ",ann@lab.example\nown/b", "line 2, field evaluated_by", "e-mail address"),
    ("evaluations", "qa,accuracy,0.9", "qa,,0.9", "line 3, field metric", "it is empty"),
    ("quality_bars", "2026-06-01", "1 June", "line 2, field valid_from", "is not a day"),
    ("run_stages", "forward,1.5", "sideways,1.5", "line 2, field stage", "'sideways' is none of data_loading"),
    ("run_stages", "400.25\nr", "-1\nr", "line 2, field energy_j", "-1 is less than 0"),
    ("measurements", "0.9,1,1.1", "0.9,1,", "line 2, field energy_wh_per_unit", "a range has two ends"),
    ("measurements", "0.9,1,1.1", "0.9,2,1.1", "line 2, field energy_wh_per_unit", "lies between"),
    ("measurements", ",,0.5,,", ",,0,,", "line 3, field energy_wh_per_unit", "0 is no measured energy"),
    ("measurements", "before", "during", "line 2, field phase", "'during' is none of before, after, vendor_claim"),
])
def test_a_wrong_row_holds_the_table_back_and_is_named(tmp_path, name, before, after, where, rule):
    text = FILES[name][1]
    assert before in text
    done, context = land(tmp_path, name, text.replace(before, after, 1))
    assert [(found.where, found.day) for found in done.findings] == [(f"{name}.csv, {where}", None)]
    assert rule in done.findings[0].rule and "ann@" not in str(done.findings)
    assert done.quarantined == [None] and not (tmp_path / "raw").exists()
    with pytest.raises(SourceError, match=f"1 row or field of {name} is refused"):
        FILES[name][0].check(context)


def test_their_names_are_mapped_and_unknown_columns_are_refused(tmp_path):
    text = FILES["quality_bars"][1].replace("workflow_id", "flow").replace("reason,", "reason,author,").replace(
        "people,", "people,ann,")
    done, _ = land(tmp_path, "quality_bars", text, columns={"workflow_id": "flow"})
    assert [found.where for found in done.findings] == ["quality_bars.csv, field author"]
    done, _ = land(tmp_path, "quality_bars", text, columns={"workflow_id": "flow"}, ignore_columns=["author"])
    assert done.findings == []
    with pytest.raises(SourceError, match="`flow` is no column of it"):
        land(tmp_path, "quality_bars", text, columns={"flow": "workflow_id"})


@pytest.mark.parametrize("kind, value, expected", [
    ("DECIMAL(18,3)", "1.500", Decimal("1.5")), ("DECIMAL(18,3)", Decimal("1E-3"), Decimal("0.001")),
    ("DECIMAL(18,3)", 0.1, Decimal("0.1")), ("BIGINT", "7.0", 7), ("BOOLEAN", "yes", True),
    ("TIMESTAMP", "2026-06-01 12:00:00+02:00", datetime(2026, 6, 1, 10, tzinfo=UTC)), ("VARCHAR", " a b ", "a b"),
])
def test_a_value_has_one_meaning(kind, value, expected):
    assert typed(Column("x", kind, "x"), value) == expected


@pytest.mark.parametrize("kind, value", [
    ("DECIMAL(18,3)", "1.0001"), ("DECIMAL(18,3)", "1e3"), ("DECIMAL(18,3)", "1e15"), ("DECIMAL(4,3)", "10"),
    ("DECIMAL(18,3)", True), ("DECIMAL(18,3)", float("nan")), ("DECIMAL(18,3)", Decimal("1E+999999999")),
    ("BIGINT", "1.5"), ("BIGINT", "1" + "0" * 18), ("BOOLEAN", "2"), ("DATE", "2026-02-30"),
    ("DATE", datetime(2026, 1, 1)),
    ("TIMESTAMP", "2026-06-01 12:00:00"), ("TIMESTAMP", "2026-13-01T12:00:00Z"), ("VARCHAR", 5), ("VARCHAR", "a\nb"),
    ("VARCHAR", "x" * 501),
])
def test_a_value_that_its_column_does_not_take_is_refused(kind, value):
    with pytest.raises(Wrong):
        typed(Column("x", kind, "x"), value)
