"""The source gpu_jobs: from Slurm's text or an own file to the landed days, with the people left out."""

import json
import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines import landing
from pipelines.errors import SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _codecarbon, _sacct
from pipelines.sources._typed_texts import Wrong
from pipelines.sources.gpu_jobs import SOURCE
from pipelines.userfiles import File, Unreadable
from pipelines.window import Window

TABLE = SOURCE.table("jobs")
FIXTURE = Path(__file__).parents[2] / "fixtures" / "gpu_jobs" / "sacct.txt"
D24, D25, D26 = date(2026, 8, 24), date(2026, 8, 25), date(2026, 8, 26)
OWN = "job_id,started_at_utc,ended_at_utc,state,gpu_count,energy_j\n"


def context(home, **options):
    scratch = home / "scratch"
    scratch.mkdir(exist_ok=True)
    (home / "inbox").mkdir(exist_ok=True)
    options.setdefault("path", "inbox/*")
    return Context(Settings(home, "Test", False, {"gpu_jobs": options}, (), (), {}), scratch)


def land(home, first="2026-08-24", last="2026-08-26", **options):
    staged = landing.stage(SOURCE, TABLE, context(home, **options), Window.of_days(first, last))
    return landing.commit(staged, (), home, datetime(2026, 9, 1, tzinfo=UTC)), staged


def rows(home, day, columns="job_id"):
    path = home / f"raw/gpu_jobs/jobs/dt={day}/part.parquet"
    return duckdb.sql(f"select {columns} from read_parquet('{path}', hive_partitioning = false)").fetchall()


@pytest.fixture
def slurm(tmp_path):
    (tmp_path / "inbox").mkdir()
    shutil.copy(FIXTURE, tmp_path / "inbox" / "sacct.txt")
    return {"format": "sacct", "time_zone": "Europe/Paris", "exclusive": True, "gpu_models": {"h100": "NVIDIA H100"}}


def test_a_slurm_job_is_landed_under_each_utc_day_in_which_it_ran(tmp_path, slurm):
    landed, staged = land(tmp_path, **slurm)
    assert landed.findings == []
    # Paris is two hours ahead: 23:00 to 02:00 is 21:00 to 24:00 UTC, all of it on the 24th, none on the 25th.
    # The running job: 12:00 in Paris is 10:00 UTC, and 90,000 s later it is 11:00 UTC on the 25th.
    assert rows(tmp_path, D24) == [
        ("3534123/2026-08-24T10:58:00",), ("3534124/2026-08-24T11:00:00",), ("3534127/2026-08-24T11:00:00",)]
    assert rows(tmp_path, D25, "job_id, started_at_utc, ended_at_utc, state, gpu_count, nodes, energy_j") == [
        ("3534127/2026-08-24T11:00:00", datetime(2026, 8, 24, 10), datetime(2026, 8, 25, 11), "RUNNING", 24,
         "n05,n06,n07", None)]
    assert rows(tmp_path, D26) == []
    assert staged.warnings == ["2 left out: each never ran or held no GPU"]
    columns = ("run_id, workflow_tag, lifecycle_stage, model_id, started_at_utc, ended_at_utc, state, gpu_model, "
               "gpu_count, nodes, pod, is_exclusive, energy_j")
    # its steps read 9,012,345 J on the first node and 54,000,000 J on both: the largest is the job's
    assert rows(tmp_path, D24, columns)[:2] == [
        ("r7", "tuning", "fine_tuning", "own/support-7b", datetime(2026, 8, 24, 21), datetime(2026, 8, 25),
         "COMPLETED", "NVIDIA H100", 8, "n01,n02", "sft-support", True, Decimal("54000000.000")),
        ("r8", None, "experiment", None, datetime(2026, 8, 24, 9), datetime(2026, 8, 24, 9, 1), "CANCELLED", None, 1,
         "n03", "sweep", True, None),
    ]


def test_nobody_is_named_in_what_is_landed(tmp_path, slurm):
    land(tmp_path, **slurm)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "raw").rglob("*") if path.is_file())
    assert b"3534123" in kept  # so that the search below sees what is kept
    assert [word for word in (b"ann", b"bob", b"1004") if word in kept] == []


def test_days_are_the_same_in_any_order_and_landing_again_changes_nothing(tmp_path, slurm):
    land(tmp_path, "2026-08-25", "2026-08-25", **slurm)
    land(tmp_path, "2026-08-24", "2026-08-24", **slurm)
    apart = {path.parent.name: path.read_bytes() for path in (tmp_path / "raw").rglob("part.parquet")}
    landed, _ = land(tmp_path, "2026-08-24", "2026-08-25", **slurm)
    assert landed.changed == [] and len(apart) == 2
    assert {path.parent.name: path.read_bytes() for path in (tmp_path / "raw").rglob("part.parquet")} == apart


def test_local_times_need_a_declared_time_zone(tmp_path, slurm):
    landed, _ = land(tmp_path, **{**slurm, "time_zone": None} | {"time_zone": "UTC"})
    assert landed.findings == [] and rows(tmp_path, D25, "state") == [("COMPLETED",), ("RUNNING",)]  # ends at 02:00
    del slurm["time_zone"]
    landed, _ = land(tmp_path, **slurm)
    assert landed.findings[0].where == "inbox/sacct.txt, line 2"
    assert landed.findings[0].rule == "it has no time zone and none is declared"
    assert landed.findings[0].fix == "set time_zone in [sources.gpu_jobs]"
    assert landed.quarantined == [D24, D25, D26]


def times(start, end, elapsed, state="COMPLETED"):
    return _sacct.times({"Start": start, "End": end, "ElapsedRaw": elapsed}, state, ZoneInfo("Europe/Paris"))


def test_an_hour_that_happens_twice_is_told_apart_by_the_time_elapsed():
    # On 2026-10-25 Paris shows 02:30 at 00:30 UTC and again at 01:30 UTC.
    assert times("2026-10-25T02:30:00", "2026-10-25T03:30:00", "3600") == (
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 2, 30, tzinfo=UTC))
    assert times("2026-10-25T02:30:00", "2026-10-25T03:30:00", "7200")[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    for start, end, elapsed in (
        ("2026-10-25T02:30:00", "2026-10-25T03:30:00", ""),  # could be either
        ("2026-03-29T02:30:00", "2026-03-29T04:30:00", "3600"),  # clocks never showed it
        ("2026-08-24T11:00:00", "2026-08-24T10:00:00", "3600"),
    ):
        with pytest.raises(Wrong, match="happen twice or never"):
            times(start, end, elapsed)
    assert times("1782900000", "1782903600", "3600")[1] == datetime.fromtimestamp(1782903600, UTC)


@pytest.mark.parametrize("short, names", [
    ("n[01-02]", "n01,n02"), ("n[01-02,7],login", "login,n01,n02,n7"), ("a[9-11]-ib", "a10-ib,a11-ib,a9-ib"),
    ("None assigned", None), ("gpu-1", "gpu-1"),
])
def test_lists_of_nodes_are_spelt_out(short, names):
    assert _sacct.nodes(short) == names


@pytest.mark.parametrize("tres, found", [
    ("billing=64,gres/gpu:h100=8,gres/gpu=8,node=2", (8, "h100")), ("cpu=1,gres/gpu=2", (2, None)),
    ("gres/gpu:a100=2,gres/gpu:h100=1", (3, None)), ("cpu=8", (0, None)), ("gres/gpumem=80G", (0, None)),
])
def test_gpus_are_read_from_what_was_allocated(tres, found):
    assert _sacct.gpus(tres) == found


def test_a_later_export_replaces_what_was_known_while_the_job_ran(tmp_path):
    (tmp_path / "inbox").mkdir()
    inbox = tmp_path / "inbox"
    (inbox / "a.csv").write_text(OWN + "j1,2026-08-24T10:00:00Z,2026-08-24T20:00:00Z,RUNNING,4,\n")
    (inbox / "b.csv").write_text(OWN + "j1,2026-08-24T10:00:00Z,2026-08-25T06:00:00+02:00,COMPLETED,4,0\n")
    landed, _ = land(tmp_path)
    assert landed.findings == []
    # 06:00 at +02:00 is 04:00 UTC on the 25th; 0 joules are no reading
    assert rows(tmp_path, D25, "state, ended_at_utc, energy_j") == [("COMPLETED", datetime(2026, 8, 25, 4), None)]


@pytest.mark.parametrize("line, where, rule, day", [
    ("j2,2026-08-24T10:00:00,2026-08-24T20:00:00Z,FAILED,4,", "started_at_utc", "it has no time zone", None),
    ("j2,2026-08-24T10:00:00Z,2026-08-24T20:00:00Z,DONE,4,", "state", "'DONE' is none of COMPLETED", "2026-08-24"),
    ("j2,2026-08-24T10:00:00Z,2026-08-24T20:00:00Z,FAILED,0,", "gpu_count", "0 is less than 1", "2026-08-24"),
    ("j2,2026-08-24T10:00:00Z,2026-08-24T20:00:00Z,FAILED,1.5,", "gpu_count", "1.5 is not a whole", "2026-08-24"),
    ("j2,2026-08-24T10:00:00Z,2026-08-24T09:00:00Z,FAILED,1,", "ended_at_utc", "ends before it starts", None),
    ("j2,2026-08-24T10:00:00Z,,FAILED,1,", "ended_at_utc", "it is empty, and the job is FAILED", None),
    ("j2,2026-08-24T10:00:00Z,2026-08-24T20:00:00Z,FAILED,1,0.0001", "energy_j", "more than 3 decimals", "2026-08-24"),
    ("a@b.example,2026-08-24T10:00:00Z,2026-08-24T20:00:00Z,FAILED,1,", "job_id", "e-mail", "2026-08-24"),
])
def test_a_wrong_row_holds_back_its_own_days_where_they_can_be_told(tmp_path, line, where, rule, day):
    (tmp_path / "inbox").mkdir()
    good = "j1,2026-08-25T10:00:00Z,2026-08-25T20:00:00Z,COMPLETED,4,3.5\n"
    (tmp_path / "inbox" / "a.csv").write_text(OWN + good + line + "\n")
    landed, _ = land(tmp_path)
    assert [finding.where for finding in landed.findings] == [f"inbox/a.csv, line 3, field {where}"]
    assert rule in landed.findings[0].rule and landed.findings[0].day == day
    assert landed.quarantined == ([D24] if day else [D24, D25, D26])
    assert "a@b.example" not in str(landed.findings)


def test_two_endings_of_one_job_are_refused_on_every_day_of_both(tmp_path):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.jsonl").write_text("".join(json.dumps({
        "job_id": "j", "started_at_utc": "2026-08-24T10:00:00Z", "ended_at_utc": f"2026-08-25T{hour}:00:00Z",
        "state": "FAILED", "gpu_count": 1}) + "\n" for hour in ("10", "11")))
    landed, _ = land(tmp_path)
    assert {finding.day for finding in landed.findings} == {"2026-08-24", "2026-08-25"}
    assert "line 1 and inbox/a.jsonl, line 2" in landed.findings[0].where


def test_a_column_that_is_not_known_may_be_personal(tmp_path):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_text("job_id,User\nj1,ann\n")
    landed, _ = land(tmp_path)
    assert landed.findings[0].where == "inbox/a.csv, field User" and landed.quarantined == [D24, D25, D26]


def test_check_counts_the_jobs_or_names_the_first_that_is_refused(tmp_path, slurm):
    assert SOURCE.check(context(tmp_path, **slurm)) == "3 records of gpu_jobs in inbox/* can be read."
    with pytest.raises(SourceError, match=r"3 rows or fields of gpu_jobs are refused \(inbox/sacct.txt, line 2\)"):
        SOURCE.check(context(tmp_path, format="sacct"))
    with pytest.raises(SourceError, match="'Mars' is no time zone"):
        SOURCE.check(context(tmp_path, format="sacct", time_zone="Mars"))
    with pytest.raises(SourceError, match="No file of gpu_jobs was found"):
        SOURCE.check(context(tmp_path, path="nowhere/*"))


def test_a_field_of_slurm_may_stand_for_one_of_ours_but_not_one_that_names_people(tmp_path, slurm):
    land(tmp_path, **slurm, columns={"workflow_tag": "Account"})
    assert rows(tmp_path, D24, "distinct workflow_tag") == [("ml",)]
    for columns, why in (
        ({"workflow_tag": "User"}, "`User` names people"), ({"team": "Account"}, "`team` is no column"),
    ):
        with pytest.raises(SourceError, match=why):
            land(tmp_path, **slurm, columns=columns)


@pytest.mark.parametrize(("given_in", "landed_as"), [({"exclusive": False}, False), ({}, None)])
def test_a_cluster_that_shares_machines_says_so_of_each_job_s_energy(tmp_path, slurm, given_in, landed_as):
    """The unit tests of int_gpu_job__hourly show that the ledger then takes none of it."""
    del slurm["exclusive"]
    land(tmp_path, **{**slurm, **given_in})
    assert {row for day in (D24, D25) for row in rows(tmp_path, day, "is_exclusive")} == {(landed_as,)}


CODECARBON = Path(__file__).parents[2] / "fixtures" / "codecarbon" / "emissions.csv"


def test_runs_of_codecarbon_are_jobs_once_each_with_the_energy_of_their_last_row(tmp_path):
    (tmp_path / "inbox").mkdir()
    shutil.copy(CODECARBON, tmp_path / "inbox" / "emissions.csv")
    landed, staged = land(tmp_path, format="codecarbon", time_zone="Europe/Paris", exclusive=True)
    assert landed.findings == [] and staged.warnings == ["1 left out: each never ran or held no GPU"]
    # 0.0425 + 1.4 + 0.02 kWh are 5,265,000 J, and not once more the half of it that the first row told
    columns = "job_id, started_at_utc, ended_at_utc, gpu_count, gpu_model, is_exclusive, energy_j"
    assert rows(tmp_path, D24, columns) == [
        ("1028edbc-0001", datetime(2026, 8, 24, 9, 59, 59, 500_000), datetime(2026, 8, 24, 11), 2,
         "NVIDIA H100 80GB HBM3", True, Decimal("5265000.000")),
        # a process's own share of a machine: its energy is not taken
        ("77aa0000-0002", datetime(2026, 8, 24, 11, 50), datetime(2026, 8, 24, 12), 1, "NVIDIA A100-SXM4-80GB", False,
         Decimal("734400.000")),
    ]
    kept = b"".join(path.read_bytes() for path in (tmp_path / "raw").rglob("*") if path.is_file())
    assert b"1028edbc" in kept and b"sentinel" not in kept


@pytest.mark.parametrize(("was", "becomes", "rule"), [
    (",N,1.0,0.0", ",N,1.2,0.0", "its energy was multiplied by a pue"), ("gpu_count,", "gpus,", "the column gpu_count"),
    (",3600.5,", ",1e8,", "duration: 1E+8 seconds are more than a year"),
    (",1.4,", ",-1.4,", "gpu_energy: '-1.4' is not a number"), (",1.4,", ",nan,", "gpu_energy: 'nan' is not a number"),
])
def test_what_codecarbon_cannot_mean_is_a_finding(tmp_path, was, becomes, rule):
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "emissions.csv").write_text(CODECARBON.read_text().replace(was, becomes))
    landed, _ = land(tmp_path, format="codecarbon", time_zone="UTC")
    assert landed.findings[0].rule.startswith(rule) and landed.changed == []


values = st.sampled_from(["", "0", "1", "-1", "nan", "1e400", "2026-08-24T13:00:00", "0001-01-01T00:00:00", "machine",
                          "2026-08-24", "\x00", "2 x X", "1e-300", "99999999"])
tables = st.lists(st.lists(values, min_size=len(_codecarbon.NEEDED), max_size=len(_codecarbon.NEEDED)), max_size=3)


@settings(max_examples=2500, deadline=None, database=None)
@given(tables)
def test_whatever_codecarbon_s_file_holds_a_job_is_one_of_its_runs(tmp_path_factory, lines):
    path = tmp_path_factory.getbasetemp() / "codecarbon.csv"
    path.write_text("\n".join(",".join(line) for line in [_codecarbon.NEEDED, *lines]) + "\n", "utf-8")
    found = []
    try:
        for row in _codecarbon.jobs(File(path, "emissions.csv")):
            try:
                found.append(_codecarbon.ours(row.values, {}, ZoneInfo("UTC")) if not row.problem else None)
            except Wrong:
                continue
    except Unreadable:
        return
    jobs = [job for job in found if job]
    assert len(jobs) <= len({line[1] for line in lines})
    assert all(job["energy_j"] >= 0 and job["started_at_utc"] <= job["ended_at_utc"] for job in jobs)
