"""A stand-in for OpenAI's admin API behind `responses`: brackets, limits, cursors and both envelopes.

What a test expects of the answers belongs to the test.
"""

import json
import re
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import responses
from support import SHARED

from pipelines.settings import Settings
from pipelines.source import Context
from pipelines.sources import openai

KEY = "sk-admin-SENTINEL-7f3a9c"
FIXTURES = Path(__file__).parents[2] / "fixtures" / "openai"
EXAMPLES = SHARED / "openai-examples"
WIDTH_S = {"1h": 3600, "1d": 86400}
RESULT = {
    "completions": "organization.usage.completions.result", "embeddings": "organization.usage.embeddings.result",
    "costs": "organization.costs.result",
}


class FakeOpenAI:
    """Answers from `results` and `lists`; `queue` holds answers to give first, as (status, headers, body)."""

    def __init__(self):
        self.requests = []
        self.waits = []
        self.queue = []
        self.results = {}  # (kind, start_time) -> results of that bucket
        self.lists = {}  # path -> items
        self.mend = lambda body, params: body  # what a test breaks in an otherwise good answer
        self.refused = {}  # path ending -> (status, message)

    @property
    def asked(self):
        """Each request as its path below /v1 and its parameters in order."""
        return [(urlsplit(r.url).path.removeprefix("/v1/"), parse_qsl(urlsplit(r.url).query)) for r in self.requests]

    def __call__(self, request):
        self.requests.append(request)
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            return problem(401, f"Incorrect API key provided: {request.headers.get('Authorization')}.")
        if self.queue:
            answer = self.queue.pop(0)
            if answer is not None:
                if isinstance(answer, Exception):
                    raise answer
                status, headers, body = answer
                return status, headers, body if isinstance(body, (str, bytes)) else json.dumps(body)
        path = unquote(urlsplit(request.url).path).removeprefix("/v1/")
        for ending, (status, message) in self.refused.items():
            if path.endswith(ending):
                return problem(status, message)
        params = parse_qsl(urlsplit(request.url).query)
        body = self.items(path, dict(params)) if path in self.lists else self.buckets(path, params)
        return 200, {}, json.dumps(self.mend(body, dict(params)))

    def buckets(self, path, params):
        """A page of buckets; its cursor is the position, which OpenAI hides but has."""
        asked, kind = dict(params), path.rsplit("/", 1)[-1]
        width, most = WIDTH_S[asked["bucket_width"]], {"1h": 168, "1d": 180 if kind == "costs" else 31}
        assert 1 <= int(asked["limit"]) <= most[asked["bucket_width"]]
        starts = range(int(asked["start_time"]), int(asked["end_time"]), width)
        first = int(asked.get("page", "page_0").removeprefix("page_"))
        after = first + int(asked["limit"])
        data = [bucket(start, start + width, self.results.get((kind, start), [])) for start in starts[first:after]]
        more = after < len(starts)
        return {"object": "page", "data": data, "has_more": more, "next_page": f"page_{after}" if more else None}

    def items(self, path, asked):
        """A page of a list; its cursor is the last id."""
        items, limit = self.lists[path], int(asked.get("limit", 20))
        assert 1 <= limit <= 100
        first = next((n + 1 for n, item in enumerate(items) if item["id"] == asked.get("after")), 0)
        data = items[first:first + limit]
        return {
            "object": "list", "data": data, "first_id": data[0]["id"] if data else None,
            "last_id": data[-1]["id"] if data else None, "has_more": first + limit < len(items),
        }


def bucket(start, end, results):
    return {"object": "bucket", "start_time": start, "end_time": end, "results": results}


def page(*buckets, next_page=None):
    body = {"object": "page", "data": list(buckets), "has_more": next_page is not None, "next_page": next_page}
    return 200, {}, body


def problem(status, message, headers=None):
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return status, headers or {}, json.dumps({"error": error})


def completion(**more):
    """A result with the required fields: 100 in, 20 out, 3 requests."""
    return {
        "object": RESULT["completions"], "input_tokens": 100, "output_tokens": 20, "num_model_requests": 3,
        "project_id": "proj_a", "api_key_id": "key_a", "model": "gpt-x", "batch": False, "service_tier": None, **more,
    }


def context(tmp_path, environ=None, sandbox=False, **options):
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    environ = {"OPENAI_ADMIN_KEY": KEY} if environ is None else environ
    return Context(Settings(tmp_path, "Test", sandbox, {"openai": options}, (), (), environ), scratch)


@contextmanager
def serving(monkeypatch):
    """OpenAI at its own address, with waits that are noted and not waited."""
    fake, real = FakeOpenAI(), openai.client
    monkeypatch.setattr(openai, "client", lambda context: replace(real(context), sleep=fake.waits.append))
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.add_callback(responses.GET, re.compile(r"https://api\.openai\.com/v1/.*"), callback=fake)
        yield fake
