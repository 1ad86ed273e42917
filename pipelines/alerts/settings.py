"""`[alerts]` of `jevons.toml`: which changes of a ceiling are told, and through which channels.

The rest of that file is the business of `pipelines.settings`. The webhook's address and the password are secrets, and
stand in environment variables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from pipelines.errors import JevonsError

WEBHOOK_SECRET, PASSWORD_SECRET = "JEVONS_ALERT_WEBHOOK_URL", "JEVONS_SMTP_PASSWORD"
PORTS = {"starttls": 587, "ssl": 465, "none": 25}


@dataclass(frozen=True)
class Email:
    """A mail server and whom it writes to.

    Attributes:
        security: starttls, ssl (TLS from the first byte) or none.
        user: Name of the login, whose password is a secret; None = no login.
    """

    host: str
    sender: str
    to: tuple[str, ...]
    security: str
    port: int
    user: str | None


@dataclass(frozen=True)
class AlertSettings:
    """What is told, and to whom.

    Attributes:
        used_ratios: Parts of a ceiling's limit; reaching one is told.
        breach_probabilities: Probabilities of ending above the limit; reaching one is told.
    """

    used_ratios: tuple[Decimal, ...] = tuple(map(Decimal, ("0.5", "0.8", "0.95", "1")))
    breach_probabilities: tuple[Decimal, ...] = ()
    log: bool = True
    webhook: bool = False
    email: Email | None = None


def read_alerts(path: Path, table: Mapping[str, Any]) -> AlertSettings:
    """The section as it stands in a file, checked."""
    _check(path, "alerts", table, {
        "used_ratios": (_parts(1000), "write a list of numbers above 0, as in [0.5, 0.8, 1.0]"),
        "breach_probabilities": (_parts(1), "write a list of numbers above 0 and up to 1, as in [0.5]"),
        "log": (lambda value: isinstance(value, bool), "write true or false, without quotes"),
        **{name: (lambda value: isinstance(value, Mapping), f"write [alerts.{name}] and put its settings below it")
           for name in ("webhook", "email")},
    })
    enabled = {"enabled": (lambda value: isinstance(value, bool), "write true or false, without quotes")}
    webhook, email = table.get("webhook"), table.get("email")
    _check(path, "alerts.webhook", webhook or {}, enabled)
    _check(path, "alerts.email", email or {}, {
        "host": (_text, "write the name of the mail server, in quotes"),
        "from": (_address, "write an address, in quotes"),
        "to": (lambda value: isinstance(value, list) and value and all(map(_address, value)),
               'write a list of addresses, as in ["team@example.org"]'),
        "security": (lambda value: value in PORTS, f"write {', '.join(PORTS)}, in quotes"),
        "port": (lambda value: type(value) is int and 0 < value < 65536, "write a whole number, as in 587"),
        "user": (_text, "write the name of the login, in quotes"),
        **enabled,
    })
    for needed in ("host", "from", "to") if email is not None else ():
        if needed not in email:
            raise JevonsError("The mail server is described incompletely", f"{path}, alerts.email",
                              f"it has no `{needed}`", f"add {needed} = ..., or leave the section out")
    return AlertSettings(
        **{name: tuple(sorted({Decimal(str(part)) for part in table[name]}))
           for name in ("used_ratios", "breach_probabilities") if name in table},
        log=table.get("log", True),
        webhook=webhook is not None and webhook.get("enabled", True),
        email=_email(email) if email is not None and email.get("enabled", True) else None,
    )


def _email(table: Mapping[str, Any]) -> Email:
    security = table.get("security", "starttls")
    return Email(table["host"], table["from"], tuple(table["to"]), security, table.get("port", PORTS[security]),
                 table.get("user"))


def _check(path: Path, where: str, table: Mapping[str, Any], checks: Mapping[str, tuple[Callable, str]]) -> None:
    for key, value in table.items():
        if key not in checks:
            raise JevonsError("A setting means nothing", f"{path}, {where}.{key}",
                              "nothing reads a setting of that name", f"use {', '.join(checks)}")
        right, fix = checks[key]
        if not right(value):
            raise JevonsError("A setting of the alerts cannot be", f"{path}, {where}.{key}", f"it is {value!r:.60}",
                              fix)


def _parts(most: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, list) and all(type(part) in (int, float) and 0 < part <= most
                                                         for part in value)


def _text(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and bool(value.strip())


def _address(value: object) -> bool:
    """One mail address and nothing beside it, which a header would take for a second one."""
    return _text(value) and value.isascii() and value.count("@") == 1 and not set(value) & set(' ,;<>"()')
