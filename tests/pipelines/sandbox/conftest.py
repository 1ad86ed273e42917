"""A running sandbox for the tests, and small ways to ask it."""

from collections.abc import Iterator

import pytest
import requests

from pipelines.sandbox import server
from pipelines.sandbox.files import environment

ADMIN = {"Authorization": "Bearer " + environment()["OPENAI_ADMIN_KEY"]}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[server.SandboxServer]:
    """One server per module; tests that change it start their own."""
    with server.serve() as running:
        yield running


@pytest.fixture(scope="module")
def ask(sandbox):
    """A function that asks OpenAI's part of the sandbox and returns (status, JSON)."""
    with requests.Session() as session:
        session.headers.update(ADMIN)

        def get(path: str, **params) -> tuple[int, dict]:
            params = {f"{k}[]" if isinstance(v, list) else k: v for k, v in params.items()}
            answer = session.get(f"{sandbox.openai_url}/organization/{path}", params=params, timeout=30)
            return answer.status_code, answer.json()

        yield get


@pytest.fixture(scope="module")
def buckets(ask):
    """A function that follows the cursors and returns all buckets of a question."""

    def everything(path: str, **params) -> list[dict]:
        found = []
        for _ in range(500):
            status, page = ask(path, **params)
            assert status == 200, page
            found += page["data"]
            if not page["has_more"]:
                return found
            params["page"] = page["next_page"]
        raise AssertionError("paging does not end")

    return everything
