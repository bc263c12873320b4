"""Paths and queries, read strictly (IN-03, fault 41).

The framework takes the last of repeated parameters, passes over unknown ones, puts U+FFFD where there is no UTF-8, and
reads `1_0` as ten and `yes` as true. Somebody in front of us may read the same address differently; and a filter whose
name is misspelt shows everything.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import get_args, get_origin
from urllib.parse import unquote_to_bytes
from uuid import UUID

from fastapi import Request
from fastapi.dependencies.models import Dependant
from pydantic import AwareDatetime, BaseModel

from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.validation import MAX_VIOLATIONS, pointer_token
from domain.errors import InvalidFields, Violation

_MOMENT = (
    re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"),
    "not_a_time",
    "This must be a time with a zone (RFC 3339).",
)
# How values of a type are written, what else they are called, and what people are told. Pydantic reads far more.
_FORMS: Mapping[object, tuple[re.Pattern[str], str, str]] = {
    int: (re.compile(r"0|-?[1-9][0-9]{0,17}"), "not_an_integer", "This must be a whole number."),
    bool: (re.compile(r"true|false"), "not_a_boolean", "This must be true or false."),
    UUID: (re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"), "not_an_id", "This is no id."),
    datetime: _MOMENT,
    AwareDatetime: _MOMENT,
}


# Of slashes, and of what RFC 3986 section 2.3 says should never be escaped.
_NEEDLESS_ESCAPE = re.compile(rb"%(?:2[def]|3[0-9]|[46][1-9a-f]|[57][0-9a]|5[cf]|7e)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter that a route declares."""

    types: frozenset[object]
    may_repeat: bool


def declared(dependant: Dependant) -> dict[str, Parameter]:
    """The query parameters of a route, by name: its own, those of its dependencies, and the fields of its models."""
    found: dict[str, Parameter] = {}
    for field in dependant.query_params:
        annotation = field.field_info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            fields = annotation.model_fields.items()
            found |= {info.alias or name: _parameter(info.annotation) for name, info in fields}
        else:
            found[field.alias] = _parameter(annotation)
    for inner in dependant.dependencies:
        found |= declared(inner)
    return found


def expect_strict_url(request: Request, parameters: Mapping[str, Parameter]) -> None:
    """Go on only if what the path names is clean, and each parameter known, there once, and written as its type is.

    Raises: RefusedByHttp for the path, InvalidFields for the query.
    """
    texts = (value for value in request.path_params.values() if isinstance(value, str))
    if not all(map(_is_clean, texts)):
        raise RefusedByHttp(Refusal.ROUTE_NOT_FOUND)
    if request.scope["query_string"] and (found := [*islice(_violations(request, parameters), MAX_VIOLATIONS)]):
        raise InvalidFields(found)


def expect_plain_path(request: Request) -> None:
    """Go on only if the path is text, and in the one spelling that nobody in front of us reads differently.

    A slash that is escaped is none to a proxy that does not decode; nor is `%76%31` the `v1` of its rules.

    Raises: RefusedByHttp.
    """
    path: bytes = request.scope.get("raw_path", b"")
    if not _is_utf_8(path) or _NEEDLESS_ESCAPE.search(path):
        raise RefusedByHttp(Refusal.ROUTE_NOT_FOUND)


def _violations(request: Request, parameters: Mapping[str, Parameter]) -> Iterator[Violation]:
    if not _is_utf_8(request.scope["query_string"]):
        yield Violation("?", "unstorable_text", "The query is not UTF-8.")
        return
    given: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        pointer = f"?{pointer_token(name)}"
        parameter = parameters.get(name)
        if parameter is None:
            yield Violation(pointer, "unknown_parameter", "This parameter is not known here.")
        elif len(values) > 1 and not parameter.may_repeat:
            yield Violation(pointer, "repeated_parameter", "This parameter may be given once.")
        else:
            yield from (violation for value in values for violation in _misread(pointer, value, parameter))


def _misread(pointer: str, value: str, parameter: Parameter) -> Iterator[Violation]:
    if not _is_clean(value):
        yield Violation(pointer, "unstorable_text", "Control characters cannot be part of this.")
        return
    forms = [_FORMS[kind] for kind in parameter.types if kind in _FORMS]
    if forms and not any(form.fullmatch(value) for form, _, _ in forms):
        _, code, detail = forms[0]
        yield Violation(pointer, code, detail)


def _parameter(annotation: object) -> Parameter:
    parts = [*_within(annotation)]
    return Parameter(types=frozenset(parts), may_repeat=any(get_origin(part) is list for part in parts))


def _within(annotation: object) -> Iterator[object]:
    """The types that an annotation is made of, as `int` and `None` in `int | None`."""
    yield annotation
    for inner in get_args(annotation):
        yield from _within(inner)


def _is_utf_8(escaped: bytes) -> bool:
    try:
        unquote_to_bytes(escaped).decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _is_clean(text: str) -> bool:
    """No control characters, NUL among them."""
    return not any(unicodedata.category(char) == "Cc" for char in text)
