"""How a message leaves: to a log, to a webhook (Slack's JSON), by e-mail. One attempt each, and no secret in any error.

What is said belongs in `changes`; when it is said again, in `sending`.

A webhook's address is itself the key. `pipelines.http` names addresses in its messages, and the library below it writes
them to its debug log, so neither is used here.
"""

import http.client
import json
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from pipelines.alerts.changes import Message
from pipelines.alerts.settings import PASSWORD_SECRET, WEBHOOK_SECRET, Email
from pipelines.errors import JevonsError
from pipelines.http import stays_secret

TIMEOUT_SECONDS = 10.0
LONGEST_TEXT = 2900  # Slack takes 3000 characters in a section


def log(write: Callable[[str], None], message: Message) -> None:
    """Writes each change as a line of its own."""
    for sentence in (message.head, *(sentence for _, sentence in message.lines)):
        write(f"{sentence} [{message.build_id}]")


def check_address(address: str | None) -> str:
    """The webhook's address, if something can be sent there without anybody reading along."""
    if not address:
        raise JevonsError("The webhook has no address", WEBHOOK_SECRET, "that environment variable is not set",
                          "set it, or take [alerts.webhook] out of jevons.toml")
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise JevonsError("The webhook has no address", WEBHOOK_SECRET, "what it holds is not an address",
                          "set it to an address that begins with https://")
    if not stays_secret(address):
        raise JevonsError("The webhook was not called", WEBHOOK_SECRET,
                          "its address is a secret, and would travel unencrypted to another machine",
                          "set it to an address that begins with https://")
    return address


def webhook(address: str | None, message: Message) -> None:
    """Posts the message.

    Raises:
        JevonsError: it was not taken; the address is not in it.
    """
    request = urllib.request.Request(
        check_address(address), json.dumps(slack(message), ensure_ascii=False).encode(), method="POST",
        headers={"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": message.message_id or "",
                 "User-Agent": "jevons"})
    handlers, why = [_NoRedirect], None
    if request.type == "http":  # only this machine: a proxy would be another one
        handlers.append(urllib.request.ProxyHandler({}))
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=TIMEOUT_SECONDS):
            pass
    except urllib.error.HTTPError as error:
        why = f"it answered {error.code}"
        error.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = _said(getattr(error, "reason", error))
    if why:  # outside of the handlers: an error that hangs on another one shows that as well, address and all
        raise JevonsError("The webhook did not take the message", WEBHOOK_SECRET, why,
                          "look whether that address is still right; it is tried again at the next look")


def slack(message: Message) -> dict[str, Any]:
    """The message as Slack's incoming webhooks take it; `text` holds all of it, for others that read no blocks."""
    sections = [{"type": "section", "block_id": key, "text": _mrkdwn(sentence)} for key, sentence in message.lines]
    return {
        "text": _escaped(message.text()),
        "blocks": [
            {"type": "section", "text": _mrkdwn(message.head)}, *sections,
            {"type": "context", "elements": [_mrkdwn(message.origin())]},
        ],
    }


def letter(email: Email, message: Message, now: datetime) -> EmailMessage:
    """The message as an e-mail; its Message-ID is the same each time that it is sent."""
    made = EmailMessage()
    made["Subject"] = f"Jevons: {message.head}"
    made["From"], made["To"] = email.sender, ", ".join(email.to)
    made["Date"] = format_datetime(now)
    made["Message-ID"] = f"<{message.message_id}@{email.sender.partition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(message.text() + "\n")
    return made


def mail(email: Email, password: str | None, message: Message, now: datetime) -> str | None:
    """Sends the message; a sentence if some of those it is for were refused.

    Raises:
        JevonsError: nobody was sent it.
    """
    with connected(email, password) as server:
        refused = server.send_message(letter(email, message, now))
    if refused:
        return f"{len(refused)} of {len(email.to)} addresses in [alerts.email] to were refused by the mail server."
    return None


@contextmanager
def connected(email: Email, password: str | None) -> Iterator[smtplib.SMTP]:
    """A mail server that has taken the login.

    Raises:
        JevonsError: it has not, or it did not take what was sent inside.
    """
    where = f"alerts.email, {email.host}:{email.port}"
    if email.user and not password:
        raise JevonsError("The mail server was not asked", where, f"{PASSWORD_SECRET} is not set",
                          "set it, or take `user` out of [alerts.email]")
    if email.user and email.security == "none" and not stays_secret(f"http://{email.host}"):
        raise JevonsError("The mail server was not asked", where,
                          "the password would travel unencrypted to another machine",
                          'write security = "starttls" or "ssl"')
    server, why = None, None
    try:
        if email.security == "ssl":
            server = smtplib.SMTP_SSL(email.host, email.port, timeout=TIMEOUT_SECONDS,
                                      context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(email.host, email.port, timeout=TIMEOUT_SECONDS)
        if email.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if email.user:
            server.login(email.user, password or "")
        yield server
        with suppress(OSError):  # what it took stays taken, however it says goodbye
            server.quit()
    except smtplib.SMTPAuthenticationError as error:
        why = f"it refused the login ({error.smtp_code})"
    except smtplib.SMTPResponseException as error:
        why = f"it answered {error.smtp_code}"
    except smtplib.SMTPRecipientsRefused:
        why = "it refused every address"
    except smtplib.SMTPNotSupportedError:
        why = "it does not offer what `security` or `user` asks for"
    except (OSError, ValueError) as error:
        why = _said(error)
    finally:
        if server:
            server.close()
    if why:
        raise JevonsError("The mail server did not take the message", where, why,
                          f"look at [alerts.email] and {PASSWORD_SECRET}; it is tried again at the next look") from None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer like any other: the message goes to the address that was given, or nowhere."""

    def redirect_request(self, *_: object) -> None:
        return None


def _said(error: object) -> str:
    """What kind of failure it is; never its own words, which quote addresses."""
    if isinstance(error, TimeoutError):
        return f"it did not answer within {TIMEOUT_SECONDS:g} seconds"
    return f"the connection failed ({type(error).__name__})"


def _mrkdwn(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": _escaped(text)[:LONGEST_TEXT]}


def _escaped(text: str) -> str:
    """Without the three characters that call people and make links in Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
