"""The same seed gives the same bytes: whatever the order of asking, the process and the hash seed."""

import hashlib
import os
import subprocess
import sys
from datetime import date

import requests

from pipelines.sandbox import files, server, stories

HEADERS = {"Authorization": "Bearer sk-admin-sandbox-0000", "auth-token": "em-demo-token"}
QUESTIONS = (
    "/openai/v1/organization/usage/completions?start_time=1782000000&bucket_width=1h&limit=168"
    "&group_by[]=project_id&group_by[]=api_key_id&group_by[]=model&group_by[]=batch&group_by[]=service_tier",
    "/openai/v1/organization/usage/embeddings?start_time=1780272000&bucket_width=1d",
    "/openai/v1/organization/costs?start_time=1780272000&limit=180&group_by[]=line_item",
    "/openai/v1/organization/projects?limit=3",
    "/prometheus/api/v1/query?query=DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION[1h]&time=1784000000",
    "/prometheus/api/v1/query?query=DCGM_FI_DEV_POWER_USAGE[2h]&time=1780300000",
    "/electricitymaps/v4/carbon-intensity/past-range?zone=DE&start=2026-07-01T00:00:00Z&end=2026-07-08T00:00:00Z",
)
DIGEST = """
import hashlib
from datetime import date
from pipelines.sandbox import files, gpus
from pipelines.sandbox.activity import usage_lines
text = files.call_log_csv(7, date(2026, 8, 4)) + files.outcomes_csv(7, [date(2026, 8, 4)])
text += "".join(map(files.registry_csv, files.REGISTRY_KINDS)) + repr(usage_lines(7, True)[0]._before.tolist())
text += repr(gpus.counter_mj(7, gpus.GPUS[1])[-500:].tolist())
print(hashlib.sha256(text.encode()).hexdigest())
"""


def bodies(questions, seed=7) -> dict[str, str]:
    with server.serve(seed=seed) as running, requests.Session() as session:
        answers = {q: session.get(running.url + q, headers=HEADERS, timeout=30) for q in questions}
        assert {a.status_code for a in answers.values()} == {200}
        return {q: hashlib.sha256(a.content).hexdigest() for q, a in answers.items()}


def test_order_of_requests_does_not_matter():
    assert bodies(QUESTIONS) == bodies(tuple(reversed(QUESTIONS)))


def test_another_seed_gives_other_numbers():
    here, there = bodies(QUESTIONS[:3]), bodies(QUESTIONS[:3], seed=8)
    assert not [q for q in here if here[q] == there[q]]


def test_processes_and_hash_seeds_agree():
    digests = set()
    for hash_seed in ("0", "1"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo" if hash_seed == "1" else "UTC"}
        done = subprocess.run([sys.executable, "-c", DIGEST], env=environ, capture_output=True, text=True, check=True)
        digests.add(done.stdout)
    assert len(digests) == 1


def test_days_are_the_same_whatever_was_asked_before():
    files.call_log_csv(7, date(2026, 8, 5))
    one = files.call_log_csv(7, stories.day_of(3))
    files.call_log_csv(7, stories.day_of(2))
    assert one == files.call_log_csv(7, stories.day_of(3))
    both = files.outcomes_csv(7, [stories.day_of(1), stories.day_of(2)]).splitlines()
    alone = files.outcomes_csv(7, [stories.day_of(2)]).splitlines()
    assert [line for line in both if line.startswith("2026-06-02")] == alone[1:]
