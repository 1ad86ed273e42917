"""OpenAI's lists of projects and API keys, in OpenAI's wire contract; paged by the last id, unlike usage.

Which projects and keys exist belongs in ownership.py.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from pipelines.sandbox.activity import user_name
from pipelines.sandbox.draws import hex_id
from pipelines.sandbox.exchange import Request, Response, World, json_response
from pipelines.sandbox.openai_query import BadRequestError
from pipelines.sandbox.ownership import API_KEYS, PROJECTS, ApiKey, Project

_CREATED_S = int(datetime(2025, 3, 3, 9, tzinfo=UTC).timestamp())
_ARCHIVED_S = int(datetime(2026, 2, 2, 9, tzinfo=UTC).timestamp())


def projects(request: Request) -> Response:
    """Answer `/organization/projects`; archived projects are shown only when asked for."""
    one = _parameters(request, {"limit", "after", "include_archived"})
    archived = _choice(one, "include_archived", ("true", "false"), "false") == "true"
    items = [_project(n, p) for n, p in enumerate(PROJECTS) if archived or p.status == "active"]
    return _list(one, items)


def api_keys(request: Request, world: World, project_id: str) -> Response:
    """Answer `/organization/projects/{id}/api_keys`; keys of owners without access are shown only with `any`."""
    one = _parameters(request, {"limit", "after", "owner_project_access"})
    if project_id not in {project.project_id for project in PROJECTS}:
        raise BadRequestError(f"No project found with id '{project_id}'.", "project_id", 404)
    access = _choice(one, "owner_project_access", ("active", "inactive", "any"), "active")
    items = [
        _api_key(number, key, world)
        for number, key in enumerate(API_KEYS)
        if key.project_id == project_id and access in ("any", key.owner_access)
    ]
    return _list(one, items)


def _parameters(request: Request, allowed: set[str]) -> dict[str, str]:
    for name, _ in request.parameters:
        if name not in allowed:
            raise BadRequestError(f"Unknown parameter: '{name}'.", name, 400, "unknown_parameter")
    return dict(request.parameters)


def _choice(one: dict[str, str], name: str, allowed: tuple[str, ...], default: str) -> str:
    value = one.get(name, default)
    if value not in allowed:
        raise BadRequestError(f"Invalid value for '{name}': '{value}'.", name)
    return value


def _list(one: dict[str, str], items: Sequence[dict]) -> Response:
    try:
        limit = int(one.get("limit", "20"))
    except ValueError:
        limit = 0
    if not 1 <= limit <= 100:
        raise BadRequestError("Invalid 'limit': it must be between 1 and 100.", "limit")
    ids = [item["id"] for item in items]
    after = one.get("after")
    if after is not None and after not in ids:
        raise BadRequestError(f"No object found with id '{after}'.", "after")
    first = 0 if after is None else ids.index(after) + 1
    shown = items[first : first + limit]
    return json_response(200, {
        "object": "list", "data": list(shown), "first_id": shown[0]["id"] if shown else None,
        "last_id": shown[-1]["id"] if shown else None, "has_more": first + limit < len(items),
    })


def _project(number: int, project: Project) -> dict:
    return {
        "id": project.project_id, "object": "organization.project", "name": project.name,
        "created_at": _CREATED_S + 86_400 * number,
        "archived_at": None if project.status == "active" else _ARCHIVED_S,
        "status": project.status, "external_key_id": None,
    }


def _api_key(number: int, key: ApiKey, world: World) -> dict:
    created = _CREATED_S + 86_400 * (20 + number)
    today = datetime(world.as_of.year, world.as_of.month, world.as_of.day, tzinfo=UTC)
    name = "-".join(key.owner_name.lower().split())
    account = {"id": user_name(key.api_key_id), "name": key.owner_name, "created_at": created, "role": "member"}
    if key.owner_type == "user":
        owner = {"type": "user", "user": account | {"email": f"{name}@example.com", "role": "owner"}}
    else:
        owner = {"type": "service_account", "service_account": account}
    return {
        "object": "organization.project.api_key", "id": key.api_key_id, "name": key.name,
        "redacted_value": "sk-proj-****" + hex_id(key.api_key_id, 4), "created_at": created,
        "last_used_at": int(today.timestamp()) - 7200, "owner_project_access": key.owner_access, "owner": owner,
    }
