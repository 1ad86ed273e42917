"""Alerts: what is told, to whom, that it is told once, and that no failure loses it or shows a secret."""

import errno
import json
import logging
import os
import socket
import threading
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from email import message_from_bytes
from pathlib import Path

import alert_home
import pytest
from alert_home import PASSWORD, SECRET_PATH, certificate, free_port, hook, position, post_office, publish
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.alerts import changes, channels, sending
from pipelines.alerts import record as records
from pipelines.alerts.changes import State, messages
from pipelines.alerts.settings import AlertSettings, Email, read_alerts
from pipelines.errors import JevonsError
from pipelines.settings import load
from pipelines.snapshot import Snapshot

NOW = datetime(2026, 8, 11, 6, tzinfo=UTC)
WEBHOOK = "[alerts.webhook]\n"


def told(home: Path, **environ: str) -> dict[str, sending.Outcome]:
    """One look at the home, with what the log was told kept apart."""
    return {each.channel: each for each in sending.send(load(home, environ), NOW, lambda line: None)}


def configured(home: Path, text: str) -> Path:
    home.mkdir(parents=True, exist_ok=True)
    (home / "jevons.toml").write_text(text)
    return home


def sentences(outcome: sending.Outcome) -> list[str]:
    return [sentence for message in outcome.messages for _, sentence in message.lines]


def heads(outcome: sending.Outcome) -> list[str]:
    return [message.head for message in outcome.messages]


# What is told


def test_the_first_message_says_where_all_ceilings_stand_and_the_same_build_says_nothing_more(tmp_path):
    publish(
        tmp_path, position("a"), position("b", 60, "undecided"), position("c", 120, "exceeded"),
        position("past", 120, "exceeded", period_start=date(2026, 4, 1), period_end=date(2026, 7, 1),
                 usage_date=date(2026, 6, 30)))
    log = told(tmp_path)["log"]
    assert heads(log) == ["Probe & Co: first look at 3 ceilings: 1 exceeded, 1 undecided, 1 within"]
    assert sentences(log) == [
        "team t (model calls), 2026-07-01 to 2026-09-30: undecided, at least 50 % of the limit used. Used by "
        "2026-08-10: 60 calls of 100 calls, 60.0 %. Forecast: 120 calls (60 calls to 180 calls).",
        "team t (model calls), 2026-07-01 to 2026-09-30: exceeded since 2026-08-09, at least 100 % of the limit used. "
        "Used by 2026-08-10: 120 calls of 100 calls, 120.0 %. Forecast: 240 calls (120 calls to 360 calls).",
    ]
    assert told(tmp_path)["log"].messages == ()


def test_a_first_message_comes_also_where_there_is_nothing_to_fear(tmp_path):
    publish(tmp_path, position())
    assert heads(told(tmp_path)["log"]) == ["Probe & Co: first look at 1 ceiling: 1 within"]


def test_each_change_of_status_is_told_once_and_so_is_the_way_back(tmp_path):
    publish(tmp_path, position())
    told(tmp_path)
    found = []
    for day, status in enumerate(["undecided", "undecided", "on course to exceed", "exceeded", "undecided", "within"]):
        publish(tmp_path, position(used=10 + Decimal(day) / 10, status=status), data_to=date(2026, 8, 11 + day))
        for _ in range(2):
            found += [text.split(": ", 1)[1].split(". ")[0] for text in sentences(told(tmp_path)["log"])]
    assert found == [
        "within -> undecided", "undecided -> on course to exceed", "on course to exceed -> exceeded since 2026-08-09",
        "exceeded -> undecided", "undecided -> within"]


def test_parts_of_the_limit_are_told_when_they_are_reached_exactly_and_when_they_are_lost(tmp_path):
    publish(tmp_path, position(used=1))
    told(tmp_path)
    found = []
    for day, used in enumerate(["49.999999999", "50", "79.999999999", "96", "96.5", "81", "40"]):
        publish(tmp_path, position(used=used), data_to=date(2026, 8, 11 + day))
        news = sentences(told(tmp_path)["log"])
        found.append(news[0].split(": ", 1)[1].split(". ")[0] if news else None)
    assert found == [
        None, "at least 50 % of the limit used", None, "at least 95 % of the limit used", None,
        "back below 95 % of the limit used", "back below 80 % of the limit used"]


def build(number: int, data_to: str = "2026-08-10") -> Snapshot:
    return Snapshot(f"{number:016x}", Path("nowhere"), {"data_to": data_to, "organisation": "Probe"})


def kept(channel: str, found: list) -> list[dict]:
    return json.loads(json.dumps([changes.entry(channel, message) for message in found]))


def test_probabilities_are_told_where_they_are_asked_for():
    asked = AlertSettings(breach_probabilities=(Decimal("0.5"), Decimal("0.8")))
    line = kept("log", messages(build(1), [position()], asked, "log", []))
    (message,) = messages(build(2), [position(breach_probability=Decimal("0.8"))], asked, "log", line)
    assert "at least 80 % probability of a breach" in message.lines[0][1]
    (quiet,) = messages(build(2), [position(breach_probability=Decimal("0.8"))], AlertSettings(), "log", line)
    assert (quiet.message_id, quiet.lines) == (None, ())


def test_a_part_that_the_settings_no_longer_name_is_not_taken_back_while_it_is_used():
    row = position(used=85)
    line = kept("log", messages(build(1), [row], AlertSettings(), "log", []))
    fewer = AlertSettings(used_ratios=(Decimal("0.5"),))
    assert messages(build(2), [row], fewer, "log", line)[0].lines == ()
    for none in (row, position(used=75)):
        assert messages(build(2), [none], AlertSettings(used_ratios=()), "log", line)[0].lines == ()
    (lost,) = messages(build(2), [position(used=75)], fewer, "log", line)
    assert "back below 80 % of the limit used" in lost.lines[0][1]


def test_how_a_period_ended_is_told():
    line = kept("log", messages(build(1), [position(status="undecided")], AlertSettings(), "log", []))
    (message,) = messages(build(2), [position(usage_date=date(2026, 9, 30))], AlertSettings(), "log", line)
    assert ": undecided -> within. Used by 2026-09-30" in message.lines[0][1]


def test_nothing_used_is_no_part_of_a_limit_of_nothing():
    assert messages(build(1), [position(used=0, limit_quantity=Decimal(0))], AlertSettings(), "log", [])[0].lines == ()


def test_an_older_build_says_nothing_and_one_that_restates_the_same_days_does():
    line = kept("log", messages(build(1, "2026-08-10"), [position()], AlertSettings(), "log", []))
    changed = [position(used=60)]
    assert messages(build(2, "2026-08-09"), changed, AlertSettings(), "log", line) == []
    assert messages(build(1, "2026-08-10"), changed, AlertSettings(), "log", line) == []
    assert len(messages(build(2, "2026-08-10"), changed, AlertSettings(), "log", line)[0].lines) == 1


def test_many_changes_are_told_in_messages_that_slack_takes_and_a_stop_between_them_loses_none():
    rows = [position(f"c{number:03}", 60, perimeter_id="x" * 5000) for number in range(100)]
    found = messages(build(1), rows, AlertSettings(), "webhook", [])
    assert [(len(message.lines), message.left_count) for message in found] == [(40, 60), (40, 20), (20, 0)]
    for message in found:
        blocks = channels.slack(message)["blocks"]
        assert len(blocks) <= 50
        assert all(len(block["text"]["text"]) <= 3000 for block in blocks if "text" in block)
        ids = [block["block_id"] for block in blocks if "block_id" in block]
        assert len(set(ids)) == len(message.lines) and max(map(len, ids)) <= 255
    rest = messages(build(1), rows, AlertSettings(), "webhook", kept("webhook", found[:1]))
    assert [key for message in rest for key, _ in message.lines] == [key for m in found[1:] for key, _ in m.lines]
    assert messages(build(1), rows, AlertSettings(), "webhook", kept("webhook", found)) == []


STATES = st.tuples(st.sampled_from(changes.STATUSES), st.sampled_from([0, 49, 50, 85, 95, 100, 130]))
BUILDS = st.lists(st.tuples(st.dictionaries(st.sampled_from("abc"), STATES), st.integers(0, 3), st.booleans()))


@given(BUILDS)
@settings(max_examples=150, deadline=None)
def test_whatever_builds_come_and_fail_to_be_told_each_change_is_told_once(builds):
    parts, ledger, day = [0, 0.5, 0.8, 0.95, 1], [], 0
    state: dict[str, tuple[str, float]] = {}
    for number, (rows, days, fails) in enumerate(builds):
        day += days
        found = messages(
            build(number, f"2026-08-{day // 30:02}-{day % 30:02}"),
            [position(key, used, status) for key, (status, used) in sorted(rows.items())],
            AlertSettings(), "log", ledger)
        now = {key: (status, max(part for part in parts if used >= part * 100)) for key, (status, used) in rows.items()}
        news = {key for key, value in now.items() if value != state.get(key, ("within", 0))}
        assert sum(len(message.lines) for message in found) == len(news)
        if fails:
            continue
        ledger += kept("log", found)
        state |= now


# How it is told


def test_slack_is_told_in_its_json_and_nobody_is_called_by_a_name(tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")  # not for what stays on this machine
    configured(tmp_path, WEBHOOK)
    publish(tmp_path, position("b", 60, "undecided", perimeter_id="<!channel>\nand & <http://evil.example|this>"))
    with hook() as slack:
        assert not told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)["webhook"].trouble
    ((key, body),) = slack.taken
    sent = json.loads(body)
    assert set(sent) == {"text", "blocks"}
    assert [block["type"] for block in sent["blocks"]] == ["section", "section", "context"]
    text = sent["blocks"][1]["text"]["text"]
    assert text.startswith("team &lt;!channel&gt; and &amp; &lt;http://evil.example|this&gt; (model calls)")
    assert text in sent["text"] and "Probe &amp; Co: first look at 1 ceiling" in sent["text"]
    assert len(key) == 32 and key in sent["blocks"][2]["elements"][0]["text"]


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_e_mail_goes_encrypted_with_a_login(tmp_path, monkeypatch, security):
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    with post_office(security, certificate(tmp_path)) as (box, port):
        configured(tmp_path, f"""
            [alerts.email]
            host = "localhost"
            port = {port}
            security = "{security}"
            user = "jevons"
            from = "jevons@example.org"
            to = ["one@example.org", "two@example.org"]
        """)
        publish(tmp_path, position("b", 60, "undecided"))
        assert told(tmp_path, JEVONS_SMTP_PASSWORD=PASSWORD)["email"].trouble == ""
        assert [ok for ok, _ in sending.examine(load(tmp_path, {"JEVONS_SMTP_PASSWORD": PASSWORD}))] == [True]
        wrong = list(sending.examine(load(tmp_path, {"JEVONS_SMTP_PASSWORD": "wrong-sentinel"})))[-1]
        assert not wrong[0] and "it refused the login (535)" in wrong[1] and "wrong-sentinel" not in wrong[1]
        monkeypatch.delenv("SSL_CERT_FILE")
        unknown = list(sending.examine(load(tmp_path, {"JEVONS_SMTP_PASSWORD": PASSWORD})))[-1][1]
        assert "the connection failed (SSLCertVerificationError)" in unknown
    (envelope,) = box.taken
    letter = message_from_bytes(envelope.content)
    assert envelope.rcpt_tos == ["one@example.org", "two@example.org"]
    assert letter["Subject"] == "Jevons: Probe & Co: first look at 1 ceiling: 1 undecided"
    assert letter["Message-ID"].endswith("@example.org>") and letter["Date"] == "Tue, 11 Aug 2026 06:00:00 +0000"
    text = letter.get_payload(decode=True).decode()
    assert "undecided, at least 50 % of the limit used" in text and "Jevons, build" in text


def email(port: int, more: str = "") -> str:
    return f"""
        [alerts.email]
        host = "127.0.0.1"
        port = {port}
        security = "none"
        from = "jevons@example.org"
        to = ["one@example.org", "two@example.org"]
        {more}
    """


def test_who_is_refused_by_the_mail_server_is_said_and_the_others_are_told_once(tmp_path):
    with post_office() as (box, port):
        configured(tmp_path, email(port))
        publish(tmp_path, position())
        box.refused = {"one@example.org", "two@example.org"}
        assert "it refused every address" in told(tmp_path)["email"].trouble
        box.refused = {"one@example.org"}
        assert told(tmp_path)["email"].trouble.startswith("1 of 2 addresses in [alerts.email] to were refused")
        assert told(tmp_path)["email"].messages == ()
    assert [envelope.rcpt_tos for envelope in box.taken] == [["two@example.org"]]


# What goes wrong


def test_a_channel_that_fails_holds_up_no_other_and_is_told_at_the_next_look(tmp_path):
    with post_office() as (box, port), hook() as slack:
        configured(tmp_path, WEBHOOK + email(port))
        publish(tmp_path, position(status="undecided"))
        slack.answer, box.answer = 500, "451 try again later"
        first = told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)
        assert {name: len(each.messages) for name, each in first.items()} == {"log": 1, "webhook": 0, "email": 0}
        assert "The webhook did not take the message (JEVONS_ALERT_WEBHOOK_URL): it answered 500;" in (
            first["webhook"].trouble)
        assert "The mail server did not take the message" in first["email"].trouble
        assert "it answered 451" in first["email"].trouble
        slack.answer, box.answer = 200, "250 OK"
        second = told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)
        assert {name: (len(each.messages), each.trouble) for name, each in second.items()} == {
            "log": (0, ""), "webhook": (1, ""), "email": (1, "")}
        third = told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)
        assert all(not each.messages for each in third.values())
    assert len(slack.taken) == 2 and slack.taken[0] == slack.taken[1]
    ids = [message_from_bytes(envelope.content)["Message-ID"] for envelope in box.taken]
    assert len(ids) == 2 and ids[0] == ids[1]


def test_a_channel_that_failed_for_days_is_told_how_things_stand_now_and_not_each_step(tmp_path):
    configured(tmp_path, WEBHOOK)
    with hook() as slack:
        publish(tmp_path, position())
        told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)
        slack.answer = 503
        for day, status in enumerate(["undecided", "on course to exceed"]):
            publish(tmp_path, position(status=status), data_to=date(2026, 8, 11 + day))
            told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)
        slack.answer = 200
        (sentence,) = sentences(told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)["webhook"])
    assert "within -> on course to exceed" in sentence


def slow(handler) -> int:
    time.sleep(0.5)
    return 200


def cut(handler) -> int:
    handler.connection.shutdown(socket.SHUT_RDWR)
    return 200


@pytest.mark.parametrize(("answer", "why"), [
    (500, "it answered 500"), (404, "it answered 404"), (302, "it answered 302"), (308, "it answered 308"),
    (slow, "it did not answer within 0.2 seconds"), (cut, "the connection failed (RemoteDisconnected)"),
])
def test_what_a_webhook_does_wrong_is_one_sentence_without_its_address(tmp_path, monkeypatch, caplog, answer, why):
    monkeypatch.setattr(channels, "TIMEOUT_SECONDS", 0.2)
    caplog.set_level(logging.DEBUG)
    configured(tmp_path, WEBHOOK)
    publish(tmp_path, position())
    with hook() as slack:
        slack.answer = answer
        trouble = told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)["webhook"].trouble
        assert len(slack.taken) == 1
    assert f"{why}; look whether" in trouble
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()).decode("latin-1")
    for part in SECRET_PATH.split("/")[2:]:
        assert part not in trouble + caplog.text + written


@pytest.mark.parametrize(("address", "why"), [
    ("", "that environment variable is not set"), ("hooks.example.org/sentinel", "not an address"),
    ("ftp://hooks.example.org/sentinel", "not an address"), ("https://[sentinel", "not an address"),
    ("http://hooks.example.org/sentinel", "would travel unencrypted"),
    ("http://127.0.0.1:{port}/sentinel", "the connection failed (ConnectionRefusedError)"),
    ("http://127.0.0.1:{port}/a sentinel", "the connection failed (InvalidURL)"),
])
def test_an_address_that_cannot_be_used_is_told_without_being_shown(tmp_path, address, why):
    configured(tmp_path, WEBHOOK)
    publish(tmp_path, position())
    found = told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=address.replace("{port}", str(free_port())))
    assert why in found["webhook"].trouble and "sentinel" not in found["webhook"].trouble
    assert len(found["log"].messages) == 1


def test_an_error_of_the_webhook_hangs_on_no_other_that_would_show_its_address(tmp_path):
    publish(tmp_path, position())
    (message,) = sending.check(load(tmp_path, {}))[0].messages
    with pytest.raises(JevonsError) as error:
        channels.webhook(f"http://127.0.0.1:{free_port()}/sentinel", message)
    assert error.value.__context__ is None and error.value.__cause__ is None


@pytest.mark.parametrize(("more", "why"), [
    ("", "the connection failed (ConnectionRefusedError)"),
    ('user = "jevons"', "JEVONS_SMTP_PASSWORD is not set"),
])
def test_a_mail_server_that_is_not_there_is_one_sentence(tmp_path, more, why):
    configured(tmp_path, email(free_port(), more))
    publish(tmp_path, position())
    assert why in told(tmp_path)["email"].trouble


def test_no_password_goes_unencrypted_to_another_machine_nor_to_a_server_without_encryption(tmp_path):
    configured(tmp_path, email(25, 'user = "jevons"').replace("127.0.0.1", "mail.example.org"))
    publish(tmp_path, position())
    trouble = told(tmp_path, JEVONS_SMTP_PASSWORD=PASSWORD)["email"].trouble
    assert "the password would travel unencrypted" in trouble and PASSWORD not in trouble
    with post_office() as (box, port):
        configured(tmp_path, email(port, 'user = "jevons"').replace('"none"', '"starttls"'))
        trouble = told(tmp_path, JEVONS_SMTP_PASSWORD=PASSWORD)["email"].trouble
    assert "it does not offer what `security` or `user` asks for" in trouble and box.taken == []


def test_what_was_sent_as_the_machine_stopped_is_sent_again_under_the_same_id(tmp_path, monkeypatch):
    configured(tmp_path, WEBHOOK)
    real = os.pwrite

    def stopping(file, data, at):
        if data == b"\n":
            raise SystemExit("the machine stops after sending, before it is noted")
        return real(file, data, at)

    with hook() as slack, post_office() as (box, port):
        configured(tmp_path, WEBHOOK + "\n[alerts]\nlog = false\n" + email(port))
        publish(tmp_path, position(used=60))
        with monkeypatch.context() as stopped, pytest.raises(SystemExit):
            stopped.setattr(os, "pwrite", stopping)
            told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)
        assert len(slack.taken) == 1 and not (tmp_path / "alerts" / "sent.jsonl").read_bytes().endswith(b"\n")
        assert len(told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)["webhook"].messages) == 1
        assert all(not each.messages for each in told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url).values())
    assert len(slack.taken) == 2 and slack.taken[0] == slack.taken[1]
    assert len(box.taken) == 1
    assert len((tmp_path / "alerts" / "sent.jsonl").read_text().splitlines()) == 2


def test_a_change_keeps_its_key_in_a_later_build_and_gets_another_when_it_comes_again():
    def keys(number: int, status: str, line: list) -> list:
        found = messages(build(number), [position(status=status)], AlertSettings(), "log", line)
        line += kept("log", found)
        return [key for message in found for key, _ in message.lines]

    line = []
    assert keys(1, "within", line) == []
    once = keys(2, "undecided", line[:])
    assert once == keys(3, "undecided", line) and len(once) == 1  # the build before was not noted
    assert keys(4, "within", line) != once
    assert keys(5, "undecided", line) not in ([], once)


def test_nothing_is_sent_that_cannot_be_noted(tmp_path, monkeypatch):
    configured(tmp_path, WEBHOOK)
    publish(tmp_path, position())

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with hook() as slack:
        with monkeypatch.context() as disk:
            disk.setattr(os, "pwrite", full)
            found = told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)
        assert all("No space left on device" in each.trouble for each in found.values()) and slack.taken == []
        assert len(told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url)["webhook"].messages) == 1


def test_two_looks_at_once_send_once(tmp_path):
    configured(tmp_path, WEBHOOK)
    publish(tmp_path, position())
    taken, go_on = threading.Event(), threading.Event()

    def hold(handler) -> int:
        taken.set()
        go_on.wait(10)
        return 200

    with hook() as slack:
        slack.answer = hold
        first = threading.Thread(target=told, args=(tmp_path,), kwargs={"JEVONS_ALERT_WEBHOOK_URL": slack.url})
        first.start()
        assert taken.wait(10)
        assert sending.send(load(tmp_path, {}), NOW, print) is None
        go_on.set()
        first.join()
        assert all(not each.messages for each in told(tmp_path, JEVONS_ALERT_WEBHOOK_URL=slack.url).values())
    assert len(slack.taken) == 1


def test_a_dry_run_says_the_same_and_leaves_no_trace(tmp_path):
    publish(tmp_path, position(used=60))
    before = sorted(tmp_path.rglob("*"))
    (log,) = sending.check(load(tmp_path, {}))
    assert sorted(tmp_path.rglob("*")) == before
    assert log.messages == told(tmp_path)["log"].messages
    assert sending.check(load(tmp_path, {}))[0].messages == ()


def test_what_was_not_sent_leaves_nothing_in_the_record(tmp_path):
    record = records.Record(tmp_path)
    with record.alone():
        with pytest.raises(JevonsError), record.noting({"channel": "log", "long": "x" * 100}):
            raise JevonsError("It", "there", "failed", "try again")
        assert record.path.read_bytes() == b""
        with pytest.raises(SystemExit), record.noting({"channel": "log", "long": "x" * 100}):
            raise SystemExit
        assert record.lines("log") == [] and len(record.path.read_bytes()) > 100
        with record.noting({"channel": "log"}):
            pass
    assert record.path.read_bytes() == b'{"channel": "log"}\n'


def test_a_damaged_record_is_said_and_not_taken_for_none(tmp_path):
    publish(tmp_path, position())
    told(tmp_path)
    (tmp_path / "alerts" / "sent.jsonl").write_text("null\n")
    assert "The record of alerts is damaged" in told(tmp_path)["log"].trouble
    with pytest.raises(JevonsError, match="put the file aside"):
        records.Record(tmp_path).lines("log")


def test_a_state_is_read_as_it_was_written():
    for state in (State(), State("exceeded", Decimal("0.95"), Decimal("0.5"))):
        assert State.read(json.loads(json.dumps(state.plain()))) == state


# Settings


def test_settings_are_read_and_everything_has_a_default(tmp_path):
    assert read_alerts(tmp_path, {}) == AlertSettings()
    text = """
        [alerts]
        used_ratios = [1, 0.5]
        breach_probabilities = [0.8]
        log = false
        [alerts.webhook]
        [alerts.email]
        host = "h"
        from = "a@b.org"
        to = ["c@d.org"]
        security = "ssl"
    """
    found = load(configured(tmp_path, text), {}).alerts
    assert (found.used_ratios, found.breach_probabilities, found.log, found.webhook) == (
        (Decimal("0.5"), Decimal(1)), (Decimal("0.8"),), False, True)
    assert found.email == Email("h", "a@b.org", ("c@d.org",), "ssl", 465, None)
    off = text.replace("[alerts.email]", "enabled = false\n[alerts.email]\nenabled = false")
    assert load(configured(tmp_path, off), {}).alerts == AlertSettings(
        found.used_ratios, found.breach_probabilities, log=False)


@pytest.mark.parametrize(("text", "parts"), [
    ("[alerts]\nused_ratio = [1]", ("means nothing", "alerts.used_ratio", "use used_ratios")),
    ("[alerts]\nused_ratios = 0.5", ("cannot be", "alerts.used_ratios", "a list of numbers")),
    ("[alerts]\nused_ratios = [0]", ("cannot be", "alerts.used_ratios")),
    ("[alerts]\nused_ratios = [true]", ("cannot be", "alerts.used_ratios")),
    ("[alerts]\nused_ratios = [nan]", ("cannot be", "alerts.used_ratios")),
    ("[alerts]\nbreach_probabilities = [1.1]", ("cannot be", "alerts.breach_probabilities")),
    ("[alerts]\nlog = 1", ("cannot be", "alerts.log", "true or false")),
    ("[alerts]\nwebhook = true", ("cannot be", "alerts.webhook", "[alerts.webhook]")),
    ('[alerts.webhook]\nurl = "https://x"', ("means nothing", "alerts.webhook.url")),
    ('[alerts.email]\nhost = "h"', ("incompletely", "alerts.email", "no `from`")),
    ("[alerts.email]", ("incompletely", "alerts.email", "no `host`")),
    ('[alerts.email]\nto = ["a@b.org, c@d.org"]', ("cannot be", "alerts.email.to")),
    ('[alerts.email]\nto = []', ("cannot be", "alerts.email.to")),
    ('[alerts.email]\nfrom = "a@b.org\\nBcc: c"', ("cannot be", "alerts.email.from")),
    ('[alerts.email]\nsecurity = "tls"', ("cannot be", "alerts.email.security", "starttls, ssl, none")),
    ("[alerts.email]\nport = 0", ("cannot be", "alerts.email.port")),
    ('[alerts.email]\npassword = "x"', ("means nothing", "alerts.email.password")),
])
def test_settings_that_cannot_be_are_told_in_one_sentence(tmp_path, text, parts):
    with pytest.raises(JevonsError) as error:
        load(configured(tmp_path, text), {})
    assert all(part in str(error.value) for part in parts), str(error.value)


def test_the_made_up_rows_are_columns_of_the_mart():
    described = Path(__file__).resolve().parents[2] / "dbt_project/models/marts/whole/fct_ceiling_position_daily.yml"
    for name, kind in alert_home.COLUMNS.items():
        assert f"- name: {name}\n        data_type: {kind}\n" in described.read_text()
