"""Asks services of AWS that speak AWS JSON 1.0: questions signed by Signature Version 4, refusals by their status.

Which operation is asked for what belongs to the source.

AWS answers most refusals with status 400 and says in `__type` which one it is: one for coming too often among them.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import requests

from pipelines.errors import SourceError
from pipelines.http import Client
from pipelines.settings import Settings

ALGORITHM, CONTENT = "AWS4-HMAC-SHA256", "application/x-amz-json-1.0"
ACCESS_KEY, SECRET_KEY, TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
STATUSES = {  # what a kind of refusal would be elsewhere, by its first words
    401: ("UnrecognizedClient", "InvalidClientTokenId", "InvalidSignature", "SignatureDoesNotMatch", "ExpiredToken",
          "IncompleteSignature", "MissingAuthentication", "RequestExpired"),
    403: ("AccessDenied", "UnauthorizedOperation", "OptInRequired", "NotAuthorized"),
    429: ("Throttl", "RequestLimitExceeded", "TooManyRequests"),
    500: ("InternalFailure", "InternalService", "ServiceUnavailable"),
}


@dataclass(frozen=True)
class Credentials:
    """A key of AWS.

    Attributes:
        token: Of temporary keys; None of lasting ones.
    """

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


def credentials(settings: Settings, name: str, source: str) -> Credentials:
    """The key in the environment.

    Raises:
        SourceError: a part of it is missing.
    """
    given = [(settings.secret(each) or "").strip() for each in (ACCESS_KEY, SECRET_KEY, TOKEN)]
    for variable, value in zip((ACCESS_KEY, SECRET_KEY), given, strict=False):
        if not value:
            raise SourceError(f"{name} was not asked", variable, "this environment variable is not set",
                              f"set it to that of a user or role that may read metrics, or switch off sources.{source}")
    return Credentials(given[0], given[1], given[2] or None)


def sign(request: requests.PreparedRequest, key: Credentials, region: str, service: str, at: datetime) -> None:
    """Adds the headers by which AWS knows who asks (AWS Signature Version 4); `at` is now, in UTC."""
    request.headers["X-Amz-Date"] = stamp = f"{at:%Y%m%dT%H%M%SZ}"
    if key.token:
        request.headers["X-Amz-Security-Token"] = key.token
    address = urlsplit(request.url)
    headers = {name.lower(): " ".join(value.split()) for name, value in request.headers.items()
               if name.lower() == "content-type" or name.lower().startswith("x-amz-")}
    headers["host"] = address.netloc.rpartition("@")[2]
    query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~"))
                   for name, value in parse_qsl(address.query, keep_blank_values=True))
    body, names = request.body or b"", ";".join(sorted(headers))
    canonical = "\n".join((
        request.method, quote(address.path or "/", safe="/-_.~"), "&".join(f"{name}={value}" for name, value in query),
        *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names,
        hashlib.sha256(body.encode() if isinstance(body, str) else body).hexdigest(),
    ))
    scope = f"{at:%Y%m%d}/{region}/{service}/aws4_request"
    told = "\n".join((ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signing = reduce(_mac, scope.split("/"), f"AWS4{key.secret_key}".encode())
    signature = _mac(signing, told).hex()
    request.headers["Authorization"] = (
        f"{ALGORITHM} Credential={key.access_key}/{scope}, SignedHeaders={names}, Signature={signature}")


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclass
class AwsClient(Client):
    """A client of one service in one region; a path is the name of an operation, and parameters are its members.

    Args:
        target: What stands before an operation's name.
    """

    key: Credentials = field(default=Credentials("", ""), repr=False)
    region: str = ""
    service: str = ""
    target: str = ""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)

    def __post_init__(self) -> None:
        self.cut_out = tuple(filter(None, (self.key.access_key, self.key.secret_key, self.key.token)))
        self.teller = _told

    def _send(self, method: str, path: str, params: Sequence[tuple[str, Any]]) -> requests.Response:
        answer = self.session.request(
            "POST", f"{self.base_url.rstrip('/')}/", data=json.dumps(dict(params)), timeout=self.timeout,
            headers={"Content-Type": CONTENT, "X-Amz-Target": f"{self.target}.{path}"}, allow_redirects=False,
            auth=self._signed,
        )
        kind = _kind(answer.content) if answer.status_code >= 400 else ""
        answer.status_code = next((status for status, names in STATUSES.items() if kind.startswith(names)),
                                  answer.status_code)
        return answer

    def _signed(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        sign(request, self.key, self.region, self.service, self.clock())
        return request


def _read(body: bytes) -> dict[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _kind(body: bytes) -> str:
    return re.sub(r".*#|:.*", "", str(_read(body).get("__type", "")))[:80]


def _told(body: bytes) -> str | None:
    told = _read(body)
    parts = [part for part in (_kind(body), told.get("message") or told.get("Message")) if isinstance(part, str)]
    return ": ".join(filter(None, parts)) or None
