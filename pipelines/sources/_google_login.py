"""How Google Cloud learns who asks: by the key file of a service account, whose claim buys a token, or by a token.

What is asked with it belongs to the source. The file stays where it is: neither its path nor a part of it is written
anywhere, and its own address for tokens is not followed, so that no claim goes where `login_url` does not say.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pipelines.errors import SourceError
from pipelines.http import Client
from pipelines.source import Context

KEY_FILE, TOKEN = "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_ACCESS_TOKEN"
LOGIN_URL = "https://oauth2.googleapis.com"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523
VALID = timedelta(hours=1)  # Google takes no claim that is valid for longer


def token(context: Context, source: str, scope: str, role: str) -> str:
    """An access token: the one of the environment, else one for the service account of the key file.

    Args:
        source: Whose section of jevons.toml may hold another `login_url`.
        role: What the account has to be allowed, for advice only.

    Raises:
        SourceError: there is neither, the file is no key, or Google refuses it.
    """
    given = (context.settings.secret(TOKEN) or "").strip()
    if given:
        return _sendable(given, TOKEN)
    path = context.settings.secret(KEY_FILE)
    if not path:
        raise SourceError(
            "Google Cloud was not asked", KEY_FILE, "this environment variable is not set",
            f"set it to the path of the key file of a service account with {role}, or switch off sources.{source}")
    login_url = context.options(source).get("login_url", LOGIN_URL)
    account, key = _read(Path(path))
    login = Client("Google's login", login_url, hidden={"assertion": _claim(account, key, scope, login_url)},
                   key_name=KEY_FILE)
    answer = login.post("token", [("grant_type", GRANT)])
    told = answer.get("access_token") if isinstance(answer, Mapping) else None
    return _sendable(told if isinstance(told, str) else "", "the login's access_token")


def _read(path: Path) -> tuple[str, str]:
    """The account's name and its private key."""
    why = "it cannot be read"
    try:
        held: Any = json.loads(path.read_bytes())
        why = "it is no key of a service account"
        if held.get("type") == "service_account" and all(held[name] and isinstance(held[name], str)
                                                         for name in ("client_email", "private_key")):
            return held["client_email"], held["private_key"]
    except (OSError, ValueError, KeyError, AttributeError, RecursionError):
        pass
    raise SourceError("Google Cloud was not asked", f"the file of {KEY_FILE}", why,
                      "set it to the path of the JSON key file that Google gave for the service account") from None


def _claim(account: str, key: str, scope: str, login_url: str) -> str:
    import jwt  # late: every command reads the list of sources, and few of them sign

    now = datetime.now(UTC)
    claims = {"iss": account, "scope": scope, "aud": f"{login_url.rstrip('/')}/token", "iat": now, "exp": now + VALID}
    try:
        return jwt.encode(claims, key, algorithm="RS256")
    except (ValueError, TypeError, jwt.PyJWTError):
        raise SourceError("Google Cloud was not asked", f"the file of {KEY_FILE}", "its private key cannot sign",
                          "let Google make a new key for the service account") from None


def _sendable(value: str, where: str) -> str:
    if len(value) < 4 or not value.isascii() or not value.isprintable() or " " in value:
        raise SourceError("Google Cloud was not asked", where, "it holds no token that can be sent",
                          "make a new one, or use the key file of a service account")
    return value
