"""A request for every route, made from what the route says of itself: no list to forget one in."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
from fastapi.routing import APIRoute
from pydantic import BaseModel

from adapters.http.route_policies import ROUTE_POLICIES, Access, RoutePolicy
from tests.architecture.test_house import routes as all_routes

SOME_ID = UUID("0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d")
SOME_REFERENCE = "7F3K-Q2MX-9RTB"
FILES: dict[str, dict[str, Any]] = {
    "import_users": {
        "params": {"mode": "dry_run"},
        "headers": {"Content-Type": "application/x-ndjson"},
        "content": b'{"email": "bob@example.com"}\n',
    },
}
"""What is sent to routes that take no JSON."""
ROUTES: dict[str, APIRoute] = {route.name: route for route in all_routes()}


def policy_of(name: str) -> RoutePolicy:
    return ROUTE_POLICIES[name]


def named(*access: Access) -> list[str]:
    """The routes that are for these callers."""
    return [name for name in ROUTES if policy_of(name).access in access]


def body_model(name: str) -> type[BaseModel] | None:
    field = ROUTES[name].body_field
    model = field.field_info.annotation if field is not None else None
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def example(name: str) -> dict[str, Any] | None:
    """The body that the documentation shows; None for a route without one."""
    model = body_model(name)
    if model is None:
        return None
    extra = model.model_config.get("json_schema_extra")
    assert isinstance(extra, dict)
    examples = extra["examples"]
    assert isinstance(examples, list)
    assert isinstance(examples[0], dict)
    return dict(examples[0])


def parameters(name: str) -> Iterator[str]:
    """The names in the route's path."""
    for part in ROUTES[name].path_format.split("/"):
        if part.startswith("{"):
            yield part.strip("{}")


async def call(
    client: httpx.AsyncClient,
    name: str,
    *,
    headers: dict[str, str] | None = None,
    body: object = None,
    ids: dict[str, object] | None = None,
) -> httpx.Response:
    """Call a route with its example, or with another body."""
    route = ROUTES[name]
    values = dict.fromkeys(parameters(name), SOME_ID) | {"reference": SOME_REFERENCE} | (ids or {})
    (method,) = (route.methods or set()) - {"HEAD"}
    sent = example(name) if body is None else body
    more: dict[str, Any] = {"json": sent} if sent is not None else dict(FILES.get(name, {}))
    headers = (headers or {}) | more.pop("headers", {})
    return await client.request(method, route.path_format.format(**values), headers=headers, **more)
