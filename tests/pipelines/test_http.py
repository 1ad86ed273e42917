"""The HTTP client over real sockets: waits within bounds, exact numbers, and no secret wherever anything goes wrong.

What a vendor's own answers mean is tested with its source.
"""

import json
import logging
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from pipelines.errors import SourceError
from pipelines.http import LONGEST_WAIT_SECONDS, Client, RequestRefused, Unreachable

KEY = "sk-secret-0123456789"


class Vendor:
    """Answers from a list, the last one again and again, and remembers what it was asked."""

    def __init__(self, server):
        self.answers, self.asked = [], []
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def next(self):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def running():
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            length = int(self.headers.get("Content-Length") or 0)
            vendor.asked.append((self.command, self.path, self.rfile.read(length).decode(), dict(self.headers)))
            status, headers, body = vendor.next()
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response_only(status)  # no Date of its own
            for name, value in {"Content-Length": str(len(body)), "Connection": "close", **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True  # a body shorter than it says ends here

        do_GET = do_POST = answer

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        vendor = Vendor(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield vendor
        server.shutdown()


@pytest.fixture(scope="module")
def server():
    with running() as vendor:
        yield vendor


@pytest.fixture
def vendor(server):
    server.answers, server.asked = [(200, {}, {"ok": True})], []
    return server


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(vendor, waits, caplog):
    caplog.set_level(logging.DEBUG)
    yield Client("Vendor", vendor.url + "/v1/", {"Authorization": f"Bearer {KEY}"}, "VENDOR_KEY", sleep=waits.append)
    assert KEY not in caplog.text


def refusal(client, kind=SourceError, path="usage", params=(("day", "2026-06-01"),)):
    with pytest.raises(kind) as told:
        client.get(path, params)
    sentence = str(told.value)
    assert KEY not in sentence and KEY not in repr(told.value) and "\n" not in sentence and sentence.endswith(".")
    assert told.value.__cause__ is None and told.value.__context__ is None  # whose text may quote headers
    return sentence


def test_a_get_sends_the_key_and_the_parameters_in_their_order(vendor, client):
    assert client.get("/usage", [("group_by[]", "b"), ("group_by[]", "a"), ("q", "x & y")]) == {"ok": True}
    (method, path, body, headers), = vendor.asked
    assert (method, path, body) == ("GET", "/v1/usage?group_by%5B%5D=b&group_by%5B%5D=a&q=x+%26+y", "")
    assert headers["Authorization"] == f"Bearer {KEY}"


def test_a_post_sends_a_form(vendor, client):
    client.post("query", [("query", "a{b='c'}")])
    assert [(m, p, b) for m, p, b, _ in vendor.asked] == [("POST", "/v1/query", "query=a%7Bb%3D%27c%27%7D")]


def test_a_key_from_netrc_does_not_replace_ours(vendor, client, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    client.get("usage")
    assert vendor.asked[0][3]["Authorization"] == f"Bearer {KEY}"


def test_numbers_keep_every_digit(vendor, client):
    vendor.answers = [
        (200, {}, b'{"a": 0.1, "b": 12345678901234567890.123456789, "c": 1E-30, "d": 10000000000000000000001}')]
    found = client.get("usage")
    assert found == {"a": Decimal("0.1"), "b": Decimal("12345678901234567890.123456789"), "c": Decimal("1E-30"),
                     "d": 10000000000000000000001}
    assert [type(value) for value in found.values()] == [Decimal, Decimal, Decimal, int]


@pytest.mark.parametrize("body", [b'{"a": NaN}', b"[Infinity]", b"[-Infinity]", b"\xff\xfe\xfa", b"{'a': 1}", b""])
def test_what_is_no_json_is_asked_again_and_then_told(vendor, client, waits, body):
    vendor.answers = [(200, {}, body)]
    assert "the answer is not whole JSON (" in refusal(client, Unreachable)
    assert waits == [1, 2, 4, 8] and len(vendor.asked) == 5


def test_a_body_that_ends_early_is_asked_again(vendor, client, waits):
    whole = b'{"data": [1, 2, 3]}'
    vendor.answers = [(200, {"Content-Length": "40"}, whole), (200, {}, whole)]  # cut, although it reads as JSON
    assert client.get("usage") == {"data": [1, 2, 3]} and waits == [1]
    vendor.answers = [(200, {"Content-Length": "40"}, whole)]
    assert "5 times; run the same days again later" in refusal(client, Unreachable)


def test_a_compressed_body_is_longer_than_it_says(vendor, client, waits):
    import gzip

    packed = gzip.compress(json.dumps({"data": ["x" * 1000]}).encode())
    vendor.answers = [(200, {"Content-Encoding": "gzip"}, packed)]
    assert client.get("usage") == {"data": ["x" * 1000]} and waits == []
    vendor.answers = [(200, {"Content-Encoding": "gzip"}, packed[:20])]
    refusal(client, Unreachable)


def test_nobody_listens(client, waits):
    client.base_url = "http://127.0.0.1:9"
    assert "the connection failed (ConnectionError), 5 times" in refusal(client, Unreachable)
    assert waits == [1, 2, 4, 8]


def test_a_vendor_that_never_answers_is_not_waited_for(vendor, waits, monkeypatch):
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        client = Client("Vendor", f"http://127.0.0.1:{silent.getsockname()[1]}", attempts=2, sleep=waits.append,
                        timeout=(1, 0.05))
        assert "the connection failed (ReadTimeout), 2 times" in refusal(client, Unreachable)


def test_waits_double_and_stay_below_half_a_minute(vendor, client, waits):
    vendor.answers, client.attempts = [(503, {}, b"")], 9
    refusal(client, Unreachable)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30] and len(vendor.asked) == 9


def test_one_attempt_is_one_attempt(vendor, client, waits):
    vendor.answers, client.attempts = [(500, {}, b"")], 1
    assert "it answered 500, once;" in refusal(client, Unreachable)
    assert waits == [] and len(vendor.asked) == 1


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_asked_again(vendor, client, waits, status):
    vendor.answers = [(status, {}, {"error": "busy"}), (200, {}, [1])]
    assert client.get("usage") == [1] and waits == [1]


@pytest.mark.parametrize(
    ("value", "wait"), [
        ("0", 0), ("3", 3), ("2.5", 2.5), ("-7", 0), ("121", LONGEST_WAIT_SECONDS), ("1e9", LONGEST_WAIT_SECONDS),
        ("1e999", 1), ("tomorrow", 1), (" 4 ", 4), ("Mon, 22 Jun 2026 10:00:45 GMT", 45),
        ("Mon, 22 Jun 2026 09:00:00 GMT", 0), ("Mon, 22 Jun 9026 10:00:00 GMT", LONGEST_WAIT_SECONDS),
        ("Mon, 22 Jun 99999 10:00:00 GMT", 1), ("Mon, 22 Jun 2026 10:00:45 -0000", 45),
    ],
)
def test_the_vendor_says_how_long_to_wait_and_we_how_long_at_most(vendor, client, waits, value, wait):
    vendor.answers = [(429, {"Retry-After": value, "Date": "Mon, 22 Jun 2026 10:00:00 GMT"}, b""), (200, {}, 1)]
    client.get("usage")
    assert waits == [wait]


def test_a_date_to_wait_for_is_held_against_our_clock_where_the_vendor_has_none(vendor, client, waits):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
    vendor.answers = [(429, {"Retry-After": soon}, b""), (200, {}, 1)]
    client.get("usage")
    assert 40 < waits[0] <= 50


@pytest.mark.parametrize(
    ("status", "why", "fix"), [
        (400, "it answered 400: no such day", "correct the request's settings in jevons.toml"),
        (401, "the key was refused: no such day", "set VENDOR_KEY to a key that may read this"),
        (403, "the key is valid but lacks the permission: no such day", "set VENDOR_KEY to a key"),
        (404, "it answered 404: no such day", "correct the request's settings"),
        (422, "it answered 422: no such day", "correct the request's settings"),
        (501, "it answered 501: no such day", "correct the request's settings"),
    ],
)
@pytest.mark.parametrize("body", [{"error": {"message": "no such day."}}, {"error": "no such\n  day"},
                                  {"message": "no such day."}])
def test_a_no_is_told_once_and_not_asked_again(vendor, client, waits, status, why, fix, body):
    vendor.answers = [(status, {}, body)]
    sentence = refusal(client, RequestRefused)
    assert sentence.startswith(f"Vendor refused the request (usage?day=2026-06-01): {why}; {fix}")
    assert len(vendor.asked) == 1 and waits == []


def test_a_long_request_does_not_bury_the_reason(vendor, client):
    vendor.answers = [(400, {}, {"error": "no such day"})]
    with pytest.raises(RequestRefused) as told:
        client.get("usage", [("day", "2026-06-01"), *[("group_by[]", f"dimension_{i}") for i in range(40)]])
    assert told.value.where.startswith("usage?day=2026-06-01&group_by") and len(told.value.where) == 121


def test_a_refusal_keeps_status_and_words_apart(vendor, client):
    vendor.answers = [(404, {}, {"error": "zone unknown"})]
    with pytest.raises(RequestRefused) as told:
        client.get("usage")
    assert (told.value.status, told.value.said) == (404, "zone unknown")


@pytest.mark.parametrize("body", [b"<html>no</html>", b"[1]", b'{"error": {"code": 5}}', b'{"error": null}', b"\xff"])
def test_a_no_without_words_is_told_without_words(vendor, client, body):
    vendor.answers = [(400, {}, body)]
    assert "it answered 400; correct" in refusal(client, RequestRefused)


def test_long_words_are_cut(vendor, client):
    vendor.answers = [(400, {}, {"error": "word " * 1000})]
    assert len(refusal(client, RequestRefused)) < 450


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_key_follows_a_redirect(vendor, client, status):
    vendor.answers = [(status, {"Location": f"{vendor.url}/elsewhere"}, b""), (200, {}, 1)]
    assert "redirects are not followed, so that no key leaves its host" in refusal(client, RequestRefused)
    assert [path for _, path, _, _ in vendor.asked] == ["/v1/usage?day=2026-06-01"]


@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("said", [f"key {KEY} is wrong", f"Bearer {KEY}", f"you sent 'Authorization: Bearer {KEY}'"])
def test_a_key_that_the_vendor_repeats_is_cut_out(vendor, client, status, said):
    vendor.answers = [(status, {}, {"error": {"message": said}})]
    assert "***" in refusal(client)


def test_a_key_in_an_address_is_cut_out(vendor, client):
    vendor.answers = [(404, {}, b"")]
    assert "usage?token=***" in refusal(client, params=[("token", KEY)])
    assert client.describe("usage", [("token", KEY)]) == "usage?token=***" and KEY not in repr(client)


def test_a_key_that_addresses_write_otherwise_is_cut_out_as_well(vendor, waits):
    key = "a/secret+with=signs"
    client = Client("Vendor", vendor.url, {"auth-token": key}, sleep=waits.append)
    told = client.describe("usage", [("token", key)])
    assert told == "usage?token=***"


@pytest.mark.parametrize(("said", "told"), [
    ("ask ann.b@corp.org, please", "ask *** please"), ("usage?who=ann%40corp.org&day=1", "usage?who=***&day=1"),
    ("<é@ü.de>", "<***>"), ("3 @ 4, @staging, a@", "3 @ 4, @staging, a@"),
    ("x" * 1_000_000, "x" * 1_000_000),  # looked at once, not once from each of its letters
])
def test_e_mail_addresses_are_cut_out(client, said, told):
    assert client.redacted(said) == told


@pytest.mark.parametrize("base_url", ["", "not an address", "http://", "ftp://127.0.0.1", "http://[::1"])
def test_an_address_that_is_none_is_told_at_once(client, waits, base_url):
    client.base_url = base_url
    assert "look for stray characters in base_url and VENDOR_KEY" in refusal(client) and waits == []


@pytest.mark.parametrize("base_url", [
    "http://api.vendor.example/v1", "HTTP://api.vendor.example", " http://10.0.0.7:9090", "http://[2001:db8::1]/v1",
    "http://localhost.vendor.example", "http://127.0.0.1.vendor.example", "http://api.vendor.example\\@localhost/v1",
])
def test_a_key_does_not_travel_unencrypted_to_another_machine(client, waits, base_url):
    client.base_url, client.session.request = base_url, None  # nothing is sent
    assert refusal(client) == (
        "Vendor was not asked (base_url, VENDOR_KEY): the key would travel unencrypted to another machine; write "
        "base_url with https://, or ask without a key where none is needed."
    )
    assert waits == []


@pytest.mark.parametrize("base_url, headers", [
    ("http://prometheus.example:9090", {}), ("https://api.vendor.example", {"auth-token": KEY}),
    ("http://localhost:8080", {"auth-token": KEY}), ("http://demo.localhost", {"auth-token": KEY}),
    ("http://127.9.9.9:8080", {"auth-token": KEY}), ("http://[::1]:8080", {"auth-token": KEY}),
])
def test_without_a_key_encrypted_or_on_this_machine_a_vendor_is_asked(waits, base_url, headers):
    client, sent = Client("Vendor", base_url, headers, attempts=1, sleep=waits.append), []

    def request(method, url, **more):
        sent.append(url)
        raise requests.ConnectionError

    client.session.request = request
    with pytest.raises(Unreachable):
        client.get("usage")
    assert sent == [f"{base_url}/usage"]
