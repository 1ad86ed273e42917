"""Scripted misbehaviour for tests: which request is spoiled, and how.

Endpoints know nothing of faults; a spoiled answer is always made from the right one.

Example: `Faults(Rule("/usage/completions", retry_after(2), nth=1))` answers the first usage request with 429.
"""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from pipelines.sandbox.exchange import Request, Response, json_response

Action = Callable[[Request, Response], Response]
Mutator = Callable[[Any], None]


@dataclass(frozen=True)
class Rule:
    """Spoil some of the requests whose path contains a text.

    Attributes:
        path: part of the full path; "" for every request.
        nth: numbers of the matching requests to spoil, counted from 1; None for all of them.
        query: part of the decoded query that must be there too, "" for any.
    """

    path: str
    action: Action
    nth: int | Iterable[int] | None = None
    query: str = ""


class Faults:
    """A list of rules, each with a count of the requests that it has seen; safe between threads."""

    def __init__(self, *rules: Rule):
        self._rules = [(rule, _numbers(rule.nth)) for rule in rules]
        self._seen = [0] * len(rules)
        self._lock = threading.Lock()

    def apply(self, request: Request, response: Response) -> Response:
        """Return the response, spoiled by each rule that matches, in their order."""
        query = "&".join(f"{name}={value}" for name, value in request.parameters)
        for index, (rule, numbers) in enumerate(self._rules):
            if rule.path not in request.full_path or rule.query not in query:
                continue
            with self._lock:
                self._seen[index] += 1
                number = self._seen[index]
            if numbers is None or number in numbers:
                response = rule.action(request, response)
        return response


def _numbers(nth: int | Iterable[int] | None) -> frozenset[int] | None:
    if nth is None:
        return None
    return frozenset((nth,) if isinstance(nth, int) else nth)


# Whole answers


def status(code: int, body: Any = None, headers: dict[str, str] | None = None) -> Action:
    """Answer with a status code; `body` is JSON, or text sent as it is."""
    given = {"error": {"message": "sandbox fault", "type": "fault", "param": None, "code": None}}
    if isinstance(body, str):
        response = Response(code, body.encode(), {"Content-Type": "text/html"} | (headers or {}))
    else:
        response = json_response(code, given if body is None else body, headers)
    return lambda request, right: response


def retry_after(value: int | str) -> Action:
    """Answer 429 with Retry-After: whole seconds, or an HTTP date given as text."""
    body = {"error": {"message": "Rate limit reached.", "type": "requests", "param": None,
                      "code": "rate_limit_exceeded"}}
    return status(429, body, {"Retry-After": str(value)})


def invalid_json(text: str = '{"object": "page", "data": [') -> Action:
    """Answer 200 with a text that is not JSON."""
    return lambda request, right: replace(right, status=200, body=text.encode())


def truncated(ratio: float = 0.5) -> Action:
    """Send only the first part of the body, with a Content-Length that fits that part."""
    return lambda request, right: replace(right, body=right.body[: int(len(right.body) * ratio)])


def reset_mid_body(ratio: float = 0.5) -> Action:
    """Announce the whole body, send a part and reset the connection."""
    return lambda request, right: replace(right, cut_after_bytes=int(len(right.body) * ratio))


def stall(seconds: float) -> Action:
    """Wait before answering."""
    return lambda request, right: replace(right, delay_seconds=seconds)


def content_type(value: str) -> Action:
    """Send the right body under another content type."""
    return lambda request, right: replace(right, headers=right.headers | {"Content-Type": value})


def changed(*mutators: Mutator) -> Action:
    """Send the right JSON after each mutator has changed it in place."""

    def action(request: Request, right: Response) -> Response:
        value = json.loads(right.body)
        for mutate in mutators:
            mutate(value)
        return replace(right, body=json.dumps(value, separators=(",", ":")).encode())

    return action


def duplicate_page() -> Action:
    """Send each later matching answer as the first one was: same data, and the same cursor."""
    kept: list[Response] = []

    def action(request: Request, right: Response) -> Response:
        kept.append(right)
        return kept[0]

    return action


# JSON mutators: small functions that change a decoded answer in place


def records(value: Any) -> list[dict]:
    """Return the innermost records of an answer: results of buckets, series, intensities, or items of a list."""
    data = value.get("data")
    if isinstance(data, dict):
        return data.get("result", [])
    if data and isinstance(data[0], dict) and "results" in data[0]:
        return [record for bucket in data for record in bucket["results"]]
    if data and isinstance(data[0], dict) and isinstance(data[0].get("intensity"), dict):
        return [item["intensity"] for item in data]
    return data or []


def set_field(name: str, new: Any, every: int = 1) -> Mutator:
    """Set a field in every n-th record; a function `new` gets the old value (fractions, shifts, signs)."""

    def mutate(value: Any) -> None:
        for record in records(value)[::every]:
            record[name] = new(record.get(name)) if callable(new) else new

    return mutate


def drop_field(name: str, every: int = 1) -> Mutator:
    """Remove a field from every n-th record."""

    def mutate(value: Any) -> None:
        for record in records(value)[::every]:
            record.pop(name, None)

    return mutate


def set_top(name: str, new: Any) -> Mutator:
    """Set a field of the envelope."""

    def mutate(value: Any) -> None:
        value[name] = new(value.get(name)) if callable(new) else new

    return mutate


def negative(name: str = "input_tokens") -> Mutator:
    """Turn a count into a negative one."""
    return set_field(name, lambda old: -abs(old) - 1)


def fractional(name: str = "output_tokens") -> Mutator:
    """Give a count half a unit more."""
    return set_field(name, lambda old: old + 0.5)


def unknown_field(name: str = "sandbox_surprise") -> Mutator:
    """Add a field that the contract does not have."""
    return set_field(name, "surprise")


def bucket_outside(seconds: int = 400 * 86_400) -> Mutator:
    """Move the first bucket out of the window that was asked."""

    def mutate(value: Any) -> None:
        bucket = value["data"][0]
        bucket["start_time"] -= seconds
        bucket["end_time"] -= seconds

    return mutate


def duplicate_record() -> Mutator:
    """Repeat the last item of the page's list; an empty one stays empty."""
    return lambda value: value["data"].extend(value["data"][-1:])


def repeat_cursor(cursor: str = "page_again") -> Mutator:
    """Point to the same next page for ever (paging that never ends, with one cursor)."""

    def mutate(value: Any) -> None:
        value["has_more"], value["next_page"] = True, cursor

    return mutate


def endless_paging() -> Mutator:
    """Point to a new next page for ever: each answer has a cursor that was never seen."""
    count = [0]

    def mutate(value: Any) -> None:
        count[0] += 1
        value["has_more"], value["next_page"] = True, f"page_{count[0]:08d}"

    return mutate


def wrong_zone(zone: str = "IS") -> Mutator:
    """Answer for another grid zone than the one asked."""

    def mutate(value: Any) -> None:
        value["zone"] = zone
        for record in records(value):
            record["zone"] = zone

    return mutate
