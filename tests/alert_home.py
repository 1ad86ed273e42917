"""A JEVONS_HOME whose ceilings stand where a test puts them, and a webhook and a mail server that listen.

What is to be told, and when, belongs to the tests.
"""

import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from pipelines import snapshot

SECRET_PATH = "/services/T0SENTINEL/B0SENTINEL/xJ4sentinel"
PASSWORD = "smtp-sentinel-91c4"
COLUMNS = {
    "usage_date": "date", "ceiling_id": "varchar", "perimeter_type": "varchar", "perimeter_id": "varchar",
    "metric": "varchar", "period_start": "date", "period_end": "date", "limit_quantity": "decimal(38,9)",
    "used_quantity": "decimal(38,9)", "used_low": "decimal(38,9)", "used_high": "decimal(38,9)",
    "used_ratio": "decimal(24,6)", "forecast_quantity": "decimal(38,9)", "forecast_low": "decimal(38,9)",
    "forecast_high": "decimal(38,9)", "exceeded_since_date": "date", "breach_probability": "decimal(7,6)",
    "status": "varchar",
}


def position(ceiling_id: str = "c", used: object = 10, status: str = "within", **other: Any) -> dict[str, Any]:
    """A ceiling of 100 calls in the third quarter, as it stands on a day of it."""
    used = Decimal(str(used))
    return {
        "usage_date": date(2026, 8, 10), "ceiling_id": ceiling_id, "perimeter_type": "team", "perimeter_id": "t",
        "metric": "requests", "period_start": date(2026, 7, 1), "period_end": date(2026, 10, 1),
        "limit_quantity": Decimal(100), "used_quantity": used, "used_low": used, "used_high": used,
        "used_ratio": used / 100, "forecast_quantity": used * 2, "forecast_low": used, "forecast_high": used * 3,
        "exceeded_since_date": date(2026, 8, 9) if status == "exceeded" else None, "breach_probability": Decimal(0),
        "status": status, **other,
    }


def publish(home: Path, *rows: dict[str, Any], data_to: date = date(2026, 8, 10)) -> str:
    """Publishes a build that holds these positions, each also as it stood the day before; its id."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "jevons.toml").exists():
        (home / "jevons.toml").write_text("")
    warehouse = home / "made_up.duckdb"
    with duckdb.connect(str(warehouse)) as duck:
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        duck.execute(f"create or replace table fct_ceiling_position_daily ({columns})")
        marks = ", ".join("?" * len(COLUMNS))
        for row in rows:
            before = {**row, "usage_date": row["usage_date"] - timedelta(days=1), "status": "within"}
            for each in (before, row):
                duck.execute(f"insert into fct_ceiling_position_daily values ({marks})", [each[c] for c in COLUMNS])
    return snapshot.publish(warehouse, home, ["fct_ceiling_position_daily"], {
        "organisation": "Probe & Co", "sandbox": False, "data_from": date(2026, 7, 1), "data_to": data_to,
        "factor_sets": [], "inputs_sha256": "",
    }).build_id


def free_port() -> int:
    """A port at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@dataclass
class Hook:
    """A webhook: what it was sent, and what it answers: a status, or something to be called with the request."""

    url: str = ""
    taken: list[tuple[str | None, bytes]] = field(default_factory=list)
    answer: int | Callable[[BaseHTTPRequestHandler], int] = 200


@contextmanager
def hook() -> Iterator[Hook]:
    """A webhook on this machine."""
    made = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == SECRET_PATH and self.headers["Content-Type"].startswith("application/json")
            made.taken.append((self.headers["Idempotency-Key"], body))
            status = made.answer(self) if callable(made.answer) else made.answer
            self.send_response(status)
            self.send_header("Location", f"{made.url}/elsewhere")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}{SECRET_PATH}"
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Postbox:
    """What a mail server took, and whom it refuses."""

    taken: list[Any] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    answer: str = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options) -> str:
        if address in self.refused:
            return "550 no such address"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope) -> str:
        self.taken.append(envelope)
        return self.answer


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate of `localhost` in folder/cert.pem, and what a server needs to show it."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem",
         "-out", folder / "cert.pem"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


@contextmanager
def post_office(security: str = "none", tls: ssl.SSLContext | None = None) -> Iterator[tuple[Postbox, int]]:
    """A mail server on this machine, and its port; with a certificate, it takes one login only."""
    box = Postbox()

    def login(server, session, envelope, mechanism, data) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"jevons", PASSWORD.encode()), handled=False)

    more = {"authenticator": login, "auth_required": True} if tls else {}
    if tls and security == "starttls":
        more |= {"tls_context": tls, "require_starttls": True}
    if tls and security == "ssl":
        more |= {"ssl_context": tls, "auth_require_tls": False}
    office = Controller(box, hostname="127.0.0.1", port=free_port(), **more)
    office.start()
    try:
        yield box, office.port
    finally:
        office.stop()
