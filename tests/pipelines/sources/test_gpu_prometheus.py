"""The GPU source against a real Prometheus server, and against answers that a server gives on a bad day."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pyarrow.parquet as pq
import pytest
import responses
from prometheus_server import Samples, served

from pipelines import landing
from pipelines.errors import JevonsError, SourceError
from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import _prometheus, gpu_prometheus
from pipelines.typed import arrow_schema
from pipelines.window import Window

D1, D2 = date(2026, 6, 1), date(2026, 6, 2)
MIDNIGHT = int(datetime(2026, 6, 2, tzinfo=UTC).timestamp())  # between the two days
ENERGY, POWER, UTIL = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "DCGM_FI_DEV_POWER_USAGE", "DCGM_FI_DEV_GPU_UTIL"
ACTIVE, JOULES, WATTS = (
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", "DCGM_FI_DEV_BOARD_POWER_WATTS",
)
OPTIONS = {"site": "here", "step_seconds": 60}


def made_up() -> Samples:
    """Cards that are each strange in one way; samples around midnight, second 0 being 2026-06-02T00:00:00Z."""
    samples = Samples()

    def add(name, labels, minute, value, offset="7.25"):
        samples.add(name, labels, str(Decimal(MIDNIGHT + 60 * minute) + Decimal(offset)), value)

    def pod(name):
        return {"namespace": "ml", "pod": name, "container": "vllm"}

    for minute in range(-90, 90):
        steady = {"UUID": "GPU-steady", "modelName": "H100", "Hostname": "node-1", **pod("llm-0")}
        # a card that ran for years must still come through to the millijoule; 300 W are 18 000 000 mJ a minute
        add(ENERGY, steady, minute, str(80_000_000_000_001 + 18_000_000 * (minute + 90)))
        add(POWER, steady, minute, "300.5")
        add(UTIL, steady, minute, "87")
    for minute in (-2, -1, 0, 1):
        moved = {"UUID": "GPU-moved", "Hostname": "node-1", **pod("a" if minute < 0 else "b")}
        add(ENERGY, moved, minute, str(1000 * (minute + 3)), offset="0")  # -120 s, -60 s, midnight itself, 60 s
        exported = {"UUID": "GPU-exported", "hostname": "node-2", "namespace": "monitoring", "container": "exporter",
                    "pod": "nvidia-dcgm-exporter-x7k2p", "exported_namespace": "ml", "exported_pod": "llm-1",
                    "exported_container": "vllm"}
        add(ENERGY, exported, minute, "5000")
        unheld = {"UUID": "GPU-unheld", "namespace": "monitoring", "pod": "nvidia-dcgm-exporter-x7k2p",
                  "container": "exporter"}
        add(POWER, unheld, minute, "61")
        renamed = {"uuid": "GPU-renamed", "hostname": "node-3", "pod_name": "old", "pod_namespace": "ns",
                   "container_name": "c"}
        add(JOULES, renamed, minute, "126272101.025")
        add(WATTS, renamed, minute, "412.308000")
        add("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", renamed, minute, "0.4123456789")
        for instance in ("1", "2", "3", "4"):
            mig = {"UUID": "GPU-mig", "GPU_I_ID": instance, "GPU_I_PROFILE": "1g.10gb", "pod": f"p{min(instance, '2')}",
                   "namespace": "ml"}
            add(ENERGY, mig, minute, "126272101025")
            add(POWER, mig, minute, "52.6")
            add(ACTIVE, mig, minute, f"0.{instance}")
            add(UTIL, mig, minute, "0")  # not supported on MIG
        for name, busy in (("s1", "10"), ("s2", "30"), ("s3", "60")):
            sliced = {"UUID": "GPU-sliced", **pod(name)}
            add(ENERGY, sliced, minute, "7000")
            add(UTIL, sliced, minute, busy)
            add(ACTIVE, sliced, minute, "1")
        for number, value in enumerate(("NaN", "+Inf", "-5", "9223372036854775794", "200")):
            add(POWER, {"UUID": f"GPU-broken-{number}", **pod("llm-0")}, minute, value)
    return samples


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(made_up(), tmp_path_factory.mktemp("prometheus")) as url:
        yield url


def context(home: Path, base_url: str, token: str | None = None, **options) -> Context:
    secrets = {gpu_prometheus.SECRET: token} if token else {}
    section = {"base_url": base_url, **OPTIONS, **options}
    scratch = home / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    return Context(Settings(home, "Test", False, {"gpu_prometheus": section}, (), (), secrets), scratch)


def fetched(home: Path, base_url: str, first: date, last: date, **options) -> dict:
    found = gpu_prometheus.fetch(context(home, base_url, **options), Window.of_days(first, last))
    return {file.day: file for file in found}


@pytest.fixture(scope="module")
def day_files(server, tmp_path_factory):
    return fetched(tmp_path_factory.mktemp("days"), server, D1, D2)


def rows(day_file, uuid: str, quantity: str) -> list[dict]:
    found = [r for r in pq.read_table(day_file.path).to_pylist() if (r["uuid"], r["quantity"]) == (uuid, quantity)]
    return sorted(found, key=lambda r: (r["sampled_at_utc"], r["gpu_instance_id"] or "", r["pod"] or ""))


def test_a_day_holds_its_own_readings_and_one_on_each_side_exactly_as_stored(day_files):
    first = rows(day_files[D1], "GPU-steady", "energy_j")
    second = rows(day_files[D2], "GPU-steady", "energy_j")
    # minutes -90 .. -1 and the first of the next day; the last of the day before and minutes 0 .. 89
    assert len(first) == len(second) == 91
    assert first[0]["sampled_at_utc"] == datetime(2026, 6, 1, 22, 30, 7, 250_000)
    assert first[-1]["sampled_at_utc"] == datetime(2026, 6, 2, 0, 0, 7, 250_000)
    assert second[0]["sampled_at_utc"] == datetime(2026, 6, 1, 23, 59, 7, 250_000)
    assert first[0]["value"] == Decimal("80000000000.001")
    assert second[-1]["value"] == Decimal("80000000000.001") + 179 * 18_000


def test_columns_are_the_contract_s(day_files):
    schema = pq.read_schema(day_files[D1].path)
    assert schema.equals(arrow_schema(gpu_prometheus.SAMPLES), check_metadata=False)
    one = rows(day_files[D1], "GPU-steady", "util_ratio")[0]
    assert one == {
        "quantity": "util_ratio", "uuid": "GPU-steady", "gpu_model": "H100", "hostname": "node-1",
        "gpu_instance_id": None, "gpu_instance_profile": None, "namespace": "ml", "pod": "llm-0", "container": "vllm",
        "sampled_at_utc": datetime(2026, 6, 1, 22, 30, 7, 250_000), "value": Decimal("0.870000"), "step_seconds": 60,
    }


def test_a_reading_at_midnight_itself_belongs_to_the_new_day(day_files):
    first, second = (rows(day_files[day], "GPU-moved", "energy_j") for day in (D1, D2))
    assert [(r["sampled_at_utc"].strftime("%d %H:%M"), r["pod"]) for r in first] == [
        ("01 23:58", "a"), ("01 23:59", "a"), ("02 00:00", "b"),
    ]
    assert [(r["sampled_at_utc"].strftime("%d %H:%M"), r["pod"]) for r in second] == [
        ("01 23:59", "a"), ("02 00:00", "b"), ("02 00:01", "b"),
    ]


def test_the_pod_that_holds_the_gpu_and_not_the_exporter_s_own(day_files):
    exported = rows(day_files[D1], "GPU-exported", "energy_j")[0]
    assert (exported["namespace"], exported["pod"], exported["container"]) == ("ml", "llm-1", "vllm")
    assert exported["hostname"] == "node-2"
    unheld = rows(day_files[D1], "GPU-unheld", "power_w")[0]
    assert (unheld["namespace"], unheld["pod"], unheld["container"]) == (None, None, None)


def test_renamed_fields_and_labels_with_their_own_scale(day_files):
    energy, power, util = (rows(day_files[D1], "GPU-renamed", q)[0] for q in ("energy_j", "power_w", "util_ratio"))
    assert energy["value"] == Decimal("126272101.025")  # joules already
    assert power["value"] == Decimal("412.308")
    assert util["value"] == Decimal("0.412346")
    assert (energy["namespace"], energy["pod"], energy["container"]) == ("ns", "old", "c")


def test_mig_copies_of_the_board_say_which_instances_there_are_and_activity_is_an_instance_s_own(day_files):
    energy = [r for r in rows(day_files[D1], "GPU-mig", "energy_j") if r["sampled_at_utc"].minute == 58]
    assert [(r["pod"], r["gpu_instance_id"], r["gpu_instance_profile"], r["value"]) for r in energy] == [
        ("p1" if number == "1" else "p2", number, "1g.10gb", Decimal("126272101.025")) for number in "1234"
    ]
    util = [r for r in rows(day_files[D1], "GPU-mig", "util_ratio") if r["sampled_at_utc"].minute == 58]
    assert [(r["pod"], r["gpu_instance_id"], r["value"]) for r in util] == [
        ("p1", "1", Decimal("0.1")), ("p2", "2", Decimal("0.2")),
        ("p2", "3", Decimal("0.3")), ("p2", "4", Decimal("0.4")),
    ]


def test_time_sliced_copies_keep_each_pod_s_own_utilisation(day_files):
    util = [r for r in rows(day_files[D1], "GPU-sliced", "util_ratio") if r["sampled_at_utc"].minute == 58]
    assert [(r["pod"], r["value"]) for r in util] == [
        ("s1", Decimal("0.1")), ("s2", Decimal("0.3")), ("s3", Decimal("0.6")),
    ]


def test_what_cannot_be_a_reading_is_left_out_and_counted(day_files):
    assert [len(rows(day_files[D1], f"GPU-broken-{n}", "power_w")) for n in range(5)] == [0, 0, 0, 0, 3]
    # NaN, +Inf, -5 and the sentinel at two minutes of each day
    assert any("8 samples were no possible reading" in warning for warning in day_files[D1].warnings)


def test_days_alone_in_any_order_give_the_bytes_of_the_range(server, day_files, tmp_path):
    whole = {day: file.path.read_bytes() for day, file in day_files.items()}
    for number, day in enumerate((D2, D1)):
        alone = fetched(tmp_path / str(number), server, day, day)
        assert alone[day].path.read_bytes() == whole[day]
        assert alone[day].request == day_files[day].request


def test_a_day_without_any_reading_is_not_delivered(server, tmp_path):
    silent = date(2026, 5, 30)
    staged = landing.stage(
        gpu_prometheus.SOURCE, gpu_prometheus.SAMPLES, context(tmp_path, server), Window.of_days(silent, D1)
    )
    assert staged.missing == [silent, date(2026, 5, 31)]
    assert list(staged.files) == [D1]
    assert staged.findings == [] and staged.duplicates[D1] == 0  # the key is a key


def test_the_doctor_says_what_is_there(server, tmp_path):
    said = gpu_prometheus.check(context(tmp_path, server))
    names = sorted([JOULES, ENERGY, WATTS, POWER, UTIL, ACTIVE, "DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO"])
    assert said.startswith("Prometheus 2.") or said.startswith("Prometheus 3.")
    assert said.endswith(f" answers and has {', '.join(names)}.")


def test_the_doctor_says_when_there_is_no_gpu_metric(server, tmp_path):
    with pytest.raises(SourceError, match="Prometheus has no GPU metric"):
        gpu_prometheus.check(context(tmp_path, server, matchers='cluster="elsewhere"'))


def test_a_real_refusal_is_told_in_prometheus_own_words(server, tmp_path):
    with pytest.raises(SourceError, match="answered 400: .*parse error"):
        fetched(tmp_path, server, D1, D1, matchers="cluster=")


def test_a_site_s_own_metric_names_come_first(server, tmp_path):
    own = {JOULES: {"quantity": "energy_j", "factor": "0.5"}}
    file = fetched(tmp_path, server, D1, D1, metrics=own)[D1]
    assert rows(file, "GPU-renamed", "energy_j")[0]["value"] == Decimal("63136050.5125")


@pytest.mark.parametrize(("options", "named"), [
    ({"metrics": {"x": {"quantity": "energy_kwh"}}}, "metrics.x"),
    ({"metrics": {"x": {"quantity": "energy_j", "factor": "much"}}}, "metrics.x"),
    ({"metrics": {"a b": {"quantity": "energy_j"}}}, "metrics.a b"),
    ({"metrics": 3}, "metrics"),
    ({"step_seconds": 0}, "step_seconds"),
    ({"exporter_pods": "("}, "exporter_pods"),
    ({"base_url": "prometheus:9090"}, "base_url"),
])
def test_a_setting_that_cannot_be_used_is_named(tmp_path, options, named):
    with pytest.raises(JevonsError) as caught:
        fetched(tmp_path, **{"base_url": "http://nowhere.invalid", **options}, first=D1, last=D1)
    assert caught.value.where.endswith(named)


# ---- answers of a server on a bad day, without a server

URL = "https://prometheus.test"


def body(result=(), **more) -> str:
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": list(result)}, **more})


@responses.activate
@pytest.mark.parametrize(("status", "answer", "said"), [
    (400, '{"status":"error","errorType":"bad_data","error":"1:5: parse error: unclosed"}', "answered 400: 1:5: parse"),
    (422, '{"status":"error","errorType":"execution","error":"many-to-many"}', "answered 422: many-to-many"),
    (401, "", "the key was refused"),
    (200, '{"status":"error","errorType":"timeout","error":"query timed out"}', "timeout: query timed out"),
    (200, '{"status":"success","data":{"resultType":"vector","result":[]}}', "a vector"),
    (200, '{"hello":1}', "it has no status"),
    (200, "[]", "it has no status"),
    (200, '{"status":"success","data":{"resultType":"matrix","result":[{"values":[]}]}}', "metric"),
    (503, '{"status":"error","errorType":"unavailable","error":"busy"}', "it answered 503: busy, 5 times"),
])
def test_a_bad_answer_is_one_sentence_and_lands_nothing(tmp_path, status, answer, said):
    responses.post(f"{URL}/api/v1/query", body=answer, status=status, headers={"Retry-After": "0"})
    with pytest.raises(SourceError, match=said) as caught:
        list(gpu_prometheus.fetch(context(tmp_path, URL, token="s3cret-token"), Window.of_days(D1, D1)))
    assert "s3cret-token" not in str(caught.value)
    assert responses.calls[0].request.headers["Authorization"] == "Bearer s3cret-token"


@responses.activate
def test_a_token_is_not_sent_over_plain_http(tmp_path):
    with pytest.raises(SourceError, match="the key would travel unencrypted to another machine"):
        list(gpu_prometheus.fetch(context(tmp_path, "http://prometheus.test", token="s3cret"), Window.of_days(D1, D1)))
    assert len(responses.calls) == 0


@responses.activate
def test_each_hour_is_asked_once_and_warnings_are_kept(tmp_path):
    series = {"metric": {"__name__": POWER, "UUID": "GPU-1"}, "values": [[MIDNIGHT - 7200, "1"]]}
    responses.post(f"{URL}/api/v1/query", body=body([series], warnings=["store 2 did not answer"]))
    file = next(iter(gpu_prometheus.fetch(context(tmp_path, URL), Window.of_days(D1, D1))))
    ends = [int(parse_qs(call.request.body)["time"][0]) for call in responses.calls]
    assert ends == [MIDNIGHT - 86_400 + 3600 * hour for hour in range(26)]
    assert file.warnings == ("store 2 did not answer",)
    assert len(rows(file, "GPU-1", "power_w")) == 1  # the same answer 26 times: it counts in its own hour only


@responses.activate
def test_a_server_that_cannot_hold_an_hour_is_asked_for_less(tmp_path):
    asked = []

    def answer(request):
        form = parse_qs(request.body)
        seconds = int(form["query"][0].rpartition("[")[2][:-2]) - 1
        if seconds > 1800:
            text = "query processing would load too many samples into memory in query execution"
            return 422, {}, json.dumps({"status": "error", "errorType": "execution", "error": text})
        end = int(form["time"][0])
        asked.append((end - seconds, end))
        return 200, {}, body([{"metric": {"__name__": POWER, "UUID": "GPU-1"}, "values": [[end - 1, "2"]]}])

    responses.add_callback("POST", f"{URL}/api/v1/query", answer)
    file = next(iter(gpu_prometheus.fetch(context(tmp_path, URL), Window.of_days(D1, D1))))
    assert asked[0] == (MIDNIGHT - 86_400 - 3600, MIDNIGHT - 86_400 - 1800) and len(asked) == 52
    # a reading each half hour, the last before the day and the first after it
    assert len(rows(file, "GPU-1", "power_w")) == 48 + 2


class Server:
    """Answers like Prometheus 2 (closed on the left) or 3 (open on the left)."""

    def __init__(self, is_left_open: bool):
        self.is_left_open = is_left_open

    def describe(self, path, params=()):
        return path

    def post(self, path, params):
        form = dict(params)
        end, length = Decimal(form["time"]), int(form["query"].rpartition("[")[2][:-2])
        low = end - length
        inside = [
            [at, "1"] for at in (Decimal(k) / 2 for k in range(19_998, 20_200))
            if (low < at if self.is_left_open else low <= at) and at <= end
        ]
        return json.loads(body([]), parse_float=Decimal) | {"data": {
            "resultType": "matrix", "result": [{"metric": {"__name__": POWER}, "values": inside}],
        }}


@pytest.mark.parametrize("is_left_open", [False, True])
def test_both_range_selector_conventions_give_the_same_half_open_stretch(is_left_open):
    found = [
        answer for start in (10_000, 10_030)
        for answer in _prometheus.samples(Server(is_left_open), "x", start, start + 30)
    ]
    assert np.concatenate([answer.at_ms for answer in found]).tolist() == list(range(10_000_000, 10_060_000, 500))
