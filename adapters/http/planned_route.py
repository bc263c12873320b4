"""Routes whose endpoints are called by a plan."""

from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import HTTPException, Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.params import Form
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute, _effective_route_context_var, serialize_response
from fastapi.utils import is_body_allowed_for_status_code
from pydantic_core import PydanticUndefined
from starlette.requests import ClientDisconnect
from typing_extensions import TypeIs

from adapters.http.plan import Answered, Plan
from adapters.http.schemas.base import ResponseSchema

type Handler = Callable[[Request], Coroutine[Any, Any, Response]]


def planned(own: APIRoute, otherwise: Handler) -> Handler:
    """What answers a route by its plan. FastAPI does so where dependencies are replaced, or it is being watched."""
    # What a router was included with is part of it.
    included = _effective_route_context_var.get()
    route = cast("APIRoute", included) if included is not None and included.original_route is own else own
    plan = Plan.of(route.dependant)
    has_form = route.body_field is not None and isinstance(route.body_field.field_info, Form)
    if plan is None or has_form or route.stream_item_field is not None or route.is_json_stream:
        return otherwise
    answer = _answers_of(route)
    embeds = route._embed_body_fields  # noqa: SLF001  (what it found out about its own parameters)
    reads_body = route.body_field is not None

    async def handle(request: Request) -> Response:
        if request.app.dependency_overrides or "fastapi.telemetry" in request.scope:
            return await otherwise(request)
        body = await _body_of(request) if reads_body else PydanticUndefined
        return await answer(await plan.follow(request, body=body, embeds=embeds))

    return handle


async def _body_of(request: Request) -> Any:  # noqa: ANN401  (any JSON)
    try:
        return await request.json() if await request.body() else PydanticUndefined
    except ClientDisconnect as gone:
        # Nobody is there to read it.
        raise HTTPException(status_code=400) from gone


def _answers_of(route: APIRoute) -> Callable[[Answered], Coroutine[Any, Any, Response]]:
    field, given = route.response_field, route.response_class
    is_default = isinstance(given, DefaultPlaceholder)
    response_class: type[Response] = JSONResponse if isinstance(given, DefaultPlaceholder) else given
    model = field.field_info.annotation if field is not None else None
    to_json = model.__pydantic_serializer__.to_json if is_default and _is_ours(model) else None

    async def answer(answered: Answered) -> Response:
        value, wished = answered.value, answered.response
        if isinstance(value, Response):
            value.background = value.background or answered.afterwards
            return value
        status = (wished.status_code if wished is not None else 0) or route.status_code or 200
        if to_json is not None and type(value) is model:
            # What our own code has just made, and pydantic checked when it did.
            content = to_json(value, exclude_none=route.response_model_exclude_none)
        else:
            content = await serialize_response(
                field=field,
                response_content=value,
                exclude_none=route.response_model_exclude_none,
                dump_json=is_default and field is not None,
            )
        if is_default and field is not None:
            response = Response(content, status, media_type="application/json", background=answered.afterwards)
        else:
            response = response_class(content, status, background=answered.afterwards)
        if not is_body_allowed_for_status_code(status):
            response.body = b""
        if wished is not None:
            response.raw_headers.extend(wished.raw_headers)
        return response

    return answer


def _is_ours(model: object) -> TypeIs[type[ResponseSchema]]:
    return isinstance(model, type) and issubclass(model, ResponseSchema)
