"""A ticket tool of the sandbox: closed tickets in pages with a cursor, in the shape that most such tools have.

Which field of a ticket stands for what is said in `jevons.toml`, not here.
"""

from datetime import UTC, datetime, timedelta

from pipelines.sandbox.exchange import Request, Response, World, json_response

TOKEN = "tickets-sandbox-0000"
LARGEST_LIMIT = 100


def answer(request: Request, world: World) -> Response:
    """Answer the search for tickets that were closed from `from` (included) to `to` (excluded), both days."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return json_response(401, {"message": "Bad credentials"})
    one = dict(request.parameters)
    if request.path != "/tickets":
        return json_response(404, {"message": "Not Found"})
    try:
        start, end = (datetime.fromisoformat(one[name]).replace(tzinfo=UTC) for name in ("from", "to"))
        first, limit = int(one.get("page", "page_0").removeprefix("page_")), min(int(one["limit"]), LARGEST_LIMIT)
    except (KeyError, ValueError):
        return json_response(422, {"message": "Validation Failed"})
    hours = [start + timedelta(hours=n) for n in range(int((end - start) / timedelta(hours=1)))]
    after = first + limit
    return json_response(200, {
        "data": [_ticket(at) for at in hours[first:after]], "total": len(hours), "has_more": after < len(hours),
        "next_page": f"page_{after}" if after < len(hours) else None,
    })


def _ticket(at: datetime) -> dict:
    return {
        "id": int(at.timestamp()) // 3600, "closed_at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "queue": "claims",
        "kind": f"letter {at.hour}", "letters": 1 + at.day % 3 + at.hour,
        "verdict": "sent" if at.hour % 4 else "dropped",
        "assignee": {"login": "kim", "email": "kim@example.org"}, "comment": "Madame Sentinel called again",
    }
