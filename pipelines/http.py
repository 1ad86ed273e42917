"""One HTTP client for every vendor: timeouts, bounded retries, exact decimals, and no secret in any message.

Paging, parameters and the meaning of a field belong to the source that asks.
"""

import json
import logging
import re
import time
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from math import isfinite
from typing import Any
from urllib.parse import quote, quote_plus, urlencode, urlsplit

import requests

from pipelines.errors import SourceError

log = logging.getLogger(__name__)
# its lines for debugging quote whole addresses, in which some vendors want their key
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)

CUT_OFF = (
    requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
RETRIED = {408, 409, 429, 500, 502, 503, 504, 529}
TIMEOUT_SECONDS = (5, 60)
LONGEST_WAIT_SECONDS = 120
SHOWN_CHARACTERS = 120
_WORD, _EMAIL = re.compile(r"[^\s<>\"'=&?/]+"), re.compile(".(?:@|%40).")  # apart: each looks at a character once
KEY_REFUSED = {
    401: "the key was refused",
    403: "the key is valid but lacks the permission",
}


class RequestRefused(SourceError):
    """The vendor answered, and the answer is no; asking the same again cannot help.

    Attributes:
        status: HTTP status of the answer.
        said: What the vendor said about it, without secrets; empty where it said nothing.
    """

    status: int = 0
    said: str = ""


class Unreachable(SourceError):
    """Nothing whole came back, again and again; the same request may succeed later without anybody mending it."""


@dataclass
class Client:
    """Asks one vendor, again where that can help, and never for ever.

    Args:
        name: The vendor, as a person says it ("OpenAI").
        base_url: Address up to the path, without a final slash.
        headers: Sent each time; their values are cut out of every message.
        cut_out: Further secrets that a vendor might repeat, such as the password behind a header.
        hidden: Parameters that hold a secret: sent each time, in no description, and cut out of every message.
        reader: What becomes of a body; ValueError where it is not whole.
        teller: What a refusal's body says, or None.
        form: What a body is, for messages.
        plain_headers: Sent each time, too; they hold no secret.
        key_name: Environment variable of the secret, for advice only.
        attempts: How often one request is tried in all.
        sleep: Injected so that tests need not wait.
    """

    name: str
    base_url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key_name: str | None = None
    attempts: int = 5
    sleep: Callable[[float], None] = time.sleep
    timeout: tuple[float, float] = TIMEOUT_SECONDS
    session: requests.Session = field(default_factory=requests.Session, repr=False)
    plain_headers: Mapping[str, str] = field(default_factory=dict)
    hidden: Mapping[str, str] = field(default_factory=dict, repr=False)
    cut_out: tuple[str, ...] = field(default=(), repr=False)
    reader: Callable[[bytes], Any] = field(default=lambda body: read_json(body), repr=False)
    teller: Callable[[bytes], str | None] = field(default=lambda body: told_in_json(body), repr=False)
    form: str = "JSON"

    def get(self, path: str, params: Sequence[tuple[str, str]] = ()) -> Any:
        """The body of a GET: by itself JSON, numbers with a point as Decimal.

        Raises:
            SourceError: the request was refused, or nothing whole came back in `attempts` tries.
        """
        return self._ask("GET", path, params)[0]

    def page(self, path: str, params: Sequence[tuple[str, str]] = ()) -> tuple[Any, str | None]:
        """The JSON body of a GET, and the address of the next page where a Link header tells one (RFC 8288)."""
        body, answer = self._ask("GET", path, params)
        return body, answer.links.get("next", {}).get("url")

    def post(self, path: str, params: Sequence[tuple[str, str]]) -> Any:
        """The JSON body of a POST with a form, for queries that are too long for an address."""
        return self._ask("POST", path, params)[0]

    def describe(self, path: str, params: Sequence[tuple[str, str]] = ()) -> str:
        """The request as receipts record it: method, path and parameters, no host credentials, no headers."""
        return self.redacted(f"{path}?{urlencode(params)}" if params else path)

    def redacted(self, text: str) -> str:
        """The text without e-mail addresses, secrets of headers and parameters, bare or as addresses write them."""
        for value in (*self.headers.values(), *self.hidden.values(), *self.cut_out):
            for secret in (value, *_bare(value)):
                if len(secret) > 3:
                    for written in (secret, quote_plus(secret, errors="replace"), quote(secret, errors="replace")):
                        text = text.replace(written, "***")
        return _WORD.sub(lambda word: "***" if _EMAIL.search(word[0]) else word[0], text)

    def _ask(
        self, method: str, path: str, params: Sequence[tuple[str, str]]
    ) -> tuple[Any, requests.Response]:
        if (self.headers or self.hidden or self.cut_out) and not stays_secret(self.base_url):
            raise SourceError(
                f"{self.name} was not asked", f"base_url, {self.key_name}" if self.key_name else "base_url",
                "the key would travel unencrypted to another machine",
                "write base_url with https://, or ask without a key where none is needed",
            )
        where = _short(self.describe(path, params))
        last = "no answer"
        for attempt in range(1, self.attempts + 1):
            wait, impossible = min(2.0 ** (attempt - 1), 30.0), None
            try:
                answer = self._send(method, path, params)
            except CUT_OFF as error:
                last = f"the connection failed ({type(error).__name__})"
            except (requests.RequestException, UnicodeError) as error:
                impossible = type(error).__name__  # never its text: it quotes whole headers, key and all
            else:
                if answer.status_code == 200:
                    try:
                        return self.reader(_whole(answer)), answer
                    except ValueError as error:
                        last = f"the answer is not whole {self.form} ({self.redacted(str(error))[:120]})"
                elif answer.status_code in RETRIED:
                    last = f"it answered {answer.status_code}{self._message(answer)}"
                    wait = _retry_after(answer, wait)
                else:
                    raise self._refused(answer, where)
            if impossible:
                also = f" and {self.key_name}" if self.key_name else ""
                raise SourceError(
                    f"{self.name} could not be asked", where, f"the address or the key cannot be sent ({impossible})",
                    f"look for stray characters in base_url{also}",
                )
            if attempt < self.attempts:
                log.warning("%s: %s; try %d of %d in %.0f s", self.name, last, attempt + 1, self.attempts, wait)
                self.sleep(wait)
        often = "once" if self.attempts == 1 else f"{self.attempts} times"
        raise Unreachable(
            f"{self.name} could not be read", where, f"{last}, {often}",
            "run the same days again later; what was landed before stays as it is",
        )

    def _send(self, method: str, path: str, params: Sequence[tuple[str, str]]) -> requests.Response:
        url = f"{self.base_url.rstrip('/')}/{path.lstrip('/')}"
        return self.session.request(
            method, url, headers={**self.plain_headers, **self.headers}, timeout=self.timeout,
            allow_redirects=False, auth=_as_it_is,
            **{"data" if method == "POST" else "params": [*params, *self.hidden.items()]},
        )

    def _refused(self, answer: requests.Response, where: str) -> RequestRefused:
        status, message = answer.status_code, self._message(answer)
        why = KEY_REFUSED.get(status, f"it answered {status}") + message
        fix = "correct the request's settings in jevons.toml"
        if status in KEY_REFUSED:
            fix = f"set {self.key_name} to a key that may read this" if self.key_name else "check its credentials"
        elif 300 <= status < 400:
            fix = "set base_url to the final address: redirects are not followed, so that no key leaves its host"
        refused = RequestRefused(f"{self.name} refused the request", where, why, fix)
        refused.status, refused.said = status, message.removeprefix(": ")
        return refused

    def _message(self, answer: requests.Response) -> str:
        """What the vendor says, cut short and without secrets; vendors repeat keys in their messages."""
        try:
            text = self.teller(answer.content)
        except ValueError:
            return ""
        said = " ".join(self.redacted(text).split())[:200].rstrip(".") if isinstance(text, str) else ""
        return f": {said}" if said else ""


def _bare(value: str) -> list[str]:
    """The key in a header's value without its scheme; of Basic, also what it encodes, whole and by halves."""
    scheme, _, key = value.partition(" ")
    try:
        plain = b64decode(key).decode() if scheme == "Basic" else ""
    except ValueError:
        plain = ""
    return [key, plain, *plain.split(":")] if scheme in ("Basic", "Bearer") else []


def basic(user_and_password: str) -> str:
    """The value of an Authorization header for `user:password` (RFC 7617)."""
    return f"Basic {b64encode(user_and_password.encode()).decode()}"


def stays_secret(base_url: str) -> bool:
    """Whether nobody in between can read a header sent there: anything but plain http to another machine."""
    try:
        address = urlsplit(requests.Request("GET", base_url).prepare().url)  # as it is sent, however spelled
        host = address.hostname or ""
    except (requests.RequestException, ValueError):
        return True  # nothing can be sent there, which is told elsewhere
    if address.scheme != "http":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761: never another machine


def _short(request: str) -> str:
    """A request within a sentence: its beginning says what was asked for and from when; filters follow."""
    return request if len(request) <= SHOWN_CHARACTERS else f"{request[:SHOWN_CHARACTERS]}…"


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leaves our headers alone: without it, an entry in ~/.netrc replaces the key."""
    return request


def told_in_json(body: bytes) -> str | None:
    """The sentence of a refusal that is JSON, where one stands at a usual place."""
    told = json.loads(body)
    error = told.get("error", told.get("message")) if isinstance(told, dict) else None
    return error.get("message") if isinstance(error, dict) else error


def read_json(body: bytes) -> Any:
    """A body of JSON, numbers with a point as Decimal."""
    return json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)


def _whole(answer: requests.Response) -> bytes:
    expected = answer.headers.get("Content-Length")
    if expected and not answer.headers.get("Content-Encoding") and len(answer.content) < int(expected):
        raise ValueError(f"{len(answer.content)} of {expected} bytes")
    return answer.content


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _retry_after(answer: requests.Response, otherwise: float) -> float:
    """Seconds that the vendor asks to wait, given as seconds or as a date (RFC 9110), within our own bound."""
    value = answer.headers.get("Retry-After")
    if not value:
        return otherwise
    try:
        seconds = float(value)
    except ValueError:
        asked, now = _instant(value), _instant(answer.headers.get("Date", "")) or datetime.now(UTC)
        if asked is None:
            return otherwise
        seconds = (asked - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_WAIT_SECONDS) if isfinite(seconds) else otherwise


def _instant(value: str) -> datetime | None:
    """An HTTP date, which is UTC by definition even where it does not say so."""
    try:
        instant = parsedate_to_datetime(value)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
