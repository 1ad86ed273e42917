"""The sensor that tells of ceilings, and the commands that do without it."""

import sys
import threading
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from alert_home import SECRET_PATH, free_port, hook, position, publish
from dagster._utils.error import serializable_error_info_from_exc_info
from support import run_jevons

from assets.alert_sensor import EVERY_SECONDS
from assets.definitions import defs


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home, which this process's environment points to."""
    monkeypatch.setenv("JEVONS_HOME", str(tmp_path))
    monkeypatch.delenv("JEVONS_ALERT_WEBHOOK_URL", raising=False)
    (tmp_path / "jevons.toml").write_text("[alerts.webhook]\n")
    return tmp_path


def tick(instance: dg.DagsterInstance | None = None) -> str:
    """One look of the sensor, as Dagster evaluates it: why it started no run."""
    with instance or dg.DagsterInstance.ephemeral() as used:
        found = defs().get_repository_def().get_sensor_def("alerts").evaluate_tick(
            dg.build_sensor_context(instance=used, repository_def=defs().get_repository_def()))
    assert not found.run_requests
    return found.skip_message


def test_dagster_knows_the_sensor_and_leaves_it_to_people_to_switch_it_on() -> None:
    found = defs().get_repository_def().get_sensor_def("alerts")
    assert found.default_status == dg.DefaultSensorStatus.STOPPED
    assert found.minimum_interval_seconds == EVERY_SECONDS == 300
    assert not found.targets


def test_a_tick_tells_of_a_newer_build_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tick() == "nothing is published yet"
    with hook() as slack:
        monkeypatch.setenv("JEVONS_ALERT_WEBHOOK_URL", slack.url)
        publish(home, position(used=60, status="undecided"))
        assert tick() == "log: 1 change in 1 message; webhook: 1 change in 1 message"
        assert tick() == "log: nothing new; webhook: nothing new"
        publish(home, position(used=120, status="exceeded"), data_to=date(2026, 8, 11))
        assert tick() == "log: 1 change in 1 message; webhook: 1 change in 1 message"
        publish(home, position(used=120, status="exceeded"), data_to=date(2026, 8, 12))
        assert tick() == "log: nothing new; webhook: nothing new"
        assert len(slack.taken) == 2 and b"undecided -&gt; exceeded since 2026-08-09" in slack.taken[1][1]


def test_a_channel_that_fails_makes_the_tick_fail_without_its_secret_and_the_next_one_mends_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    publish(home, position(used=60))
    monkeypatch.setenv("JEVONS_ALERT_WEBHOOK_URL", f"http://127.0.0.1:{free_port()}{SECRET_PATH}")
    try:
        tick()
        pytest.fail("the tick did not fail")
    except Exception:
        shown = str(serializable_error_info_from_exc_info(sys.exc_info()))
    assert "The webhook did not take the message" in shown and "ConnectionRefusedError" in shown
    for part in SECRET_PATH.split("/")[2:]:
        assert part not in shown + caplog.text
    with hook() as slack:
        monkeypatch.setenv("JEVONS_ALERT_WEBHOOK_URL", slack.url)
        assert tick() == "log: nothing new; webhook: 1 change in 1 message"


def test_two_ticks_at_once_tell_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(home, position())
    taken, go_on = threading.Event(), threading.Event()

    def hold(handler: object) -> int:
        taken.set()
        go_on.wait(20)
        return 200

    with hook() as slack:
        monkeypatch.setenv("JEVONS_ALERT_WEBHOOK_URL", slack.url)
        slack.answer = hold
        first = threading.Thread(target=tick)
        first.start()
        assert taken.wait(20)
        assert tick() == "another process is sending now"
        go_on.set()
        first.join()
        assert len(slack.taken) == 1


def test_the_commands_show_and_send_the_same_once(home: Path) -> None:
    publish(home, position(used=60, status="undecided"))
    with hook() as slack:
        environ = {"JEVONS_ALERT_WEBHOOK_URL": slack.url}
        for _ in range(2):
            shown = run_jevons(home, "alerts", "check", **environ).stdout
        assert "webhook: 1 change in 1 message" in shown and "undecided, at least 50 % of the limit used" in shown
        assert slack.taken == []
        slack.answer = 500
        failed = run_jevons(home, "alerts", "send", check=False, **environ)
        assert failed.returncode == 1 and "it answered 500" in failed.stderr and "1 undecided" in failed.stdout
        slack.answer = 200
        assert "webhook: 1 change in 1 message" in run_jevons(home, "alerts", "send", **environ).stdout
        assert "webhook: nothing new" in run_jevons(home, "alerts", "send", **environ).stdout
        assert len(slack.taken) == 2
    found = run_jevons(home, "doctor", check=False, JEVONS_ALERT_WEBHOOK_URL="").stdout
    assert "told to log, webhook: changes of status, and 50 %, 80 %, 95 %, 100 % of a limit used" in found
    assert "mend alerts" in found and "JEVONS_ALERT_WEBHOOK_URL" in found
