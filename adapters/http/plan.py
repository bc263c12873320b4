"""How endpoints are called: as FastAPI would, without what it finds out anew at each request.

What an endpoint depends on never changes, so the order of it is laid down once. The rest is FastAPI's own: how
parameters are declared, read and validated, and what OpenAPI says of them.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import iscoroutinefunction
from typing import Any, Self, cast

from fastapi import BackgroundTasks, Request, Response
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from adapters.http.injection import Container, service_of

_REFUSED = object()
_NO_BODY: Any = PydanticUndefined


@dataclass(frozen=True, slots=True)
class _Step:
    """One dependency, or the endpoint itself: what it is called with, by the places of earlier steps."""

    dependant: Dependant
    call: Callable[..., Awaitable[Any]]
    service: type | None
    inner: Sequence[tuple[str, int]]
    has_parameters: bool


@dataclass(slots=True)
class Answered:
    """What an endpoint returned, and what it and its dependencies wish beside it."""

    value: Any = None
    response: Response | None = None
    afterwards: BackgroundTasks | None = None


class Plan:
    """The dependencies of an endpoint, each once, in an order in which each finds what it needs."""

    def __init__(self, steps: Sequence[_Step]) -> None:
        self._steps = steps

    @classmethod
    def of(cls, endpoint: Dependant) -> Self | None:
        """The plan, or None where something is asked for that only FastAPI itself does."""
        steps: list[_Step] = []
        places: dict[object, int] = {}

        def place(dependant: Dependant) -> int:
            if dependant.use_cache and dependant.call in places:
                return places[dependant.call]
            inner = [(each.name or "", place(each)) for each in dependant.dependencies]
            call = cast("Callable[..., Awaitable[Any]]", dependant.call)
            steps.append(_Step(dependant, call, service_of(call), inner, has_parameters=_has_parameters(dependant)))
            places[call] = len(steps) - 1
            return places[call]

        place(endpoint)
        is_plain = all(map(_is_plain, within(endpoint))) and not any(step.dependant.body_params for step in steps[:-1])
        return cls(steps) if is_plain else None

    async def follow(self, request: Request, *, body: Any = _NO_BODY, embeds: bool = False) -> Answered:  # noqa: ANN401  (any JSON)
        """Call them one after the other, the endpoint last.

        Raises: RequestValidationError, and whatever they raise.
        """
        answered = Answered()
        container: Container = request.app.state.container
        found: list[Any] = []
        errors: list[Any] = []
        last = len(self._steps) - 1
        for number, step in enumerate(self._steps):
            if step.service is not None:
                found.append(container.resolve(step.service))
                continue
            arguments = {name: found[place] for name, place in step.inner}
            refused = _REFUSED in arguments.values()
            if step.has_parameters:
                wrong = await _read(step.dependant, request, body, arguments, embeds=embeds)
                errors += wrong
                refused = refused or bool(wrong)
            if refused or (number == last and errors):
                found.append(_REFUSED)
                continue
            _add_given(step.dependant, request, arguments, answered)
            arguments.pop("", None)  # of those whose results nobody wants
            found.append(await step.call(**arguments))
        if errors:
            raise RequestValidationError(errors, body=None if body is _NO_BODY else body)
        answered.value = found[-1]
        return answered


async def _read(
    dependant: Dependant,
    request: Request,
    body: Any,  # noqa: ANN401  (any JSON)
    arguments: dict[str, Any],
    *,
    embeds: bool,
) -> list[Any]:
    """Put the parameters of the request among the arguments; what is wrong with them."""
    wrong: list[Any] = []
    for fields, given in (
        (dependant.path_params, "path_params"),
        (dependant.query_params, "query_params"),
        (dependant.header_params, "headers"),
        (dependant.cookie_params, "cookies"),
    ):
        if not fields:
            continue
        received = getattr(request, given)
        said: list[ModelField] = []
        for field in fields:
            if _is_left_out(field, received):
                arguments[field.name] = field.field_info.default
            elif (model := _model_left_out(field, received)) is not None:
                arguments[field.name] = model.model_construct()
            else:
                said.append(field)
        if said:
            values, errors = request_params_to_args(said, received)
            arguments.update(values)
            wrong += errors
    if dependant.body_params:
        values, errors = await request_body_to_args(dependant.body_params, body, embeds)
        arguments.update(values)
        wrong += errors
    return wrong


def _is_left_out(field: ModelField, received: Mapping[str, Any]) -> bool:
    """Whether a parameter is not there, and need not be: most requests have few of those that they may have."""
    info = field.field_info
    return (
        isinstance(info.default, int | str | None)
        and not info.validate_default
        and isinstance(info.alias, str)
        and info.alias == info.validation_alias
        and info.alias not in received
    )


def _model_left_out(field: ModelField, received: Mapping[str, Any]) -> type[BaseModel] | None:
    """The model of several parameters, where none of them is there, and none need be."""
    model = field.field_info.annotation
    if not isinstance(model, type) or not issubclass(model, BaseModel):
        return None
    names = _names_of_optional(model)
    return model if names is not None and names.isdisjoint(received) else None


@cache
def _names_of_optional(model: type[BaseModel]) -> frozenset[str] | None:
    """What the parameters of a model are called; None where one has to be there, or more is to be known of it."""
    fields = model.model_fields.values()
    if any(field.default is not None or field.validate_default or field.validation_alias for field in fields):
        return None
    return frozenset(model.model_fields) if model.model_config.get("extra", "ignore") == "ignore" else None


def _add_given(dependant: Dependant, request: Request, arguments: dict[str, Any], answered: Answered) -> None:
    """What is there for whoever asks by its type."""
    if dependant.request_param_name:
        arguments[dependant.request_param_name] = request
    if dependant.http_connection_param_name:
        arguments[dependant.http_connection_param_name] = request
    if dependant.response_param_name:
        if answered.response is None:
            # Of which nothing counts but what is set in it.
            answered.response = Response()
            answered.response.raw_headers = []
            answered.response.status_code = 0
        arguments[dependant.response_param_name] = answered.response
    if dependant.background_tasks_param_name:
        answered.afterwards = answered.afterwards or BackgroundTasks()
        arguments[dependant.background_tasks_param_name] = answered.afterwards


def _has_parameters(dependant: Dependant) -> bool:
    return bool(
        dependant.path_params
        or dependant.query_params
        or dependant.header_params
        or dependant.cookie_params
        or dependant.body_params
    )


def within(dependant: Dependant) -> Iterator[Dependant]:
    """An endpoint and all that it depends on."""
    yield dependant
    for inner in dependant.dependencies:
        yield from within(inner)


def _is_plain(dependant: Dependant) -> bool:
    """Whether it is called with await, and asks for parameters, the request, and what goes with the answer."""
    call = dependant.call
    return (
        # Some are objects that are called.
        (iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__))
        and not dependant.websocket_param_name
        and not dependant.security_scopes_param_name
        and not dependant.own_oauth_scopes
        and dependant.concurrency is None
    )
