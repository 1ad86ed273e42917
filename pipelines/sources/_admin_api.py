"""What sources that read an admin API share: the client with its key, the doctor's questions, small conversions.

How answers are paged and checked belongs in _bucket_pages.py, what they mean to the source.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from pipelines.errors import SourceError
from pipelines.http import Client, RequestRefused
from pipelines.source import Context
from pipelines.sources._bucket_pages import Params, Wire

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True)
class Admin:
    """A vendor's admin API and the key that opens it.

    Attributes:
        name: The source, as its section of jevons.toml is named.
        secret: Environment variable of the key.
        headers: The headers that carry the key.
        key: What such a key is called and looks like; `maker` says who can make one, `scope` what it has to be allowed.
        plain: Headers that are no secret.
        closed: Statuses that mean, in the doctor's questions, that the key may not read something.
    """

    wire: Wire
    name: str
    secret: str
    base_url: str
    headers: Callable[[str], dict[str, str]]
    key: str
    maker: str
    scope: str
    plain: Mapping[str, str] = field(default_factory=dict)
    closed: tuple[int, ...] = (401, 403)

    def client(self, context: Context) -> Client:
        """The client that carries the organisation's admin key.

        Raises:
            SourceError: there is no key, it cannot be a key, or it would travel unencrypted.
        """
        what = f"{self.wire.vendor} was not asked"
        key = (context.settings.secret(self.secret) or "").strip()
        if not key:
            raise SourceError(
                what, self.secret, "this environment variable is not set",
                f"set it to {self.key} {self.maker}, or switch off sources.{self.name}",
            )
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise SourceError(what, self.secret, "its value holds characters that no key has", "copy the key again")
        base_url = str(context.options(self.name).get("base_url") or self.base_url)
        address = urlsplit(base_url)
        plain = address.scheme == "http" and address.hostname in LOOPBACK
        if not address.hostname or (address.scheme != "https" and not plain):
            raise SourceError(
                what, f"jevons.toml, sources.{self.name}.base_url", "the key only travels over https",
                f'write an address such as "{self.base_url}"',
            )
        return Client(self.wire.vendor, base_url, self.headers(key), self.secret, plain_headers=self.plain)

    def check(self, client: Client, questions: Mapping[str, tuple[str, Params]]) -> str:
        """Asks each question, by what it reads, and says that all were answered.

        Raises:
            SourceError: says which of them the key may not read.
        """
        for what, (path, params) in questions.items():
            try:
                body = client.get(path, params)
            except RequestRefused as error:
                if error.status not in self.closed:
                    raise
                raise SourceError(
                    f"{self.wire.vendor} does not let this key read {what}", error.where, error.why,
                    f"set {self.secret} to {self.key} {self.scope}",
                ) from None
            if not any(self.wire.is_kind(body, kind) for kind in ("page", "list")):
                raise self.wire.misshapen(
                    client.describe(path, params), f"it is not an answer of {self.wire.vendor}'s admin API"
                )
        *most, last = questions
        return f"{self.wire.vendor} answers, and the key may read {', '.join(most)} and {last}."


def places(value: Any, count: int) -> Any:
    """The number to so many decimal places: vendors send binary floats, whose 17th digit is noise.

    What is no number is passed on as it is, so that landing names it.
    """
    try:
        number = None if value is None or isinstance(value, bool) else Decimal(str(value))
        return value if number is None else number.quantize(Decimal(1).scaleb(-count))
    except InvalidOperation:
        return value


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The record without these fields; what Jevons does not know stays, so that landing refuses it by name."""
    return {name: value for name, value in record.items() if name not in names}


def keyed_hash(hash_key: str | None, person: Any) -> str | None:
    """HMAC-SHA256 of a person's id with the organisation's own key; None without a key or an id."""
    if not hash_key or not isinstance(person, str):
        return None
    return hmac.new(hash_key.encode(), person.encode(), hashlib.sha256).hexdigest()
