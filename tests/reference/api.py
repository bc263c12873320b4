"""Every operation of the API, and what it takes and answers."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from adapters.http.app import HttpConfig, create_app
from adapters.http.problems import MEDIA_TYPE
from adapters.http.refusals import Refusal
from adapters.http.route_policies import ROUTE_POLICIES
from domain.errors import Unavailable, concrete_errors
from tests.reference import code, page, table

_INTRODUCTION = """
Every operation, a line each. `?` stands after what may be left out. `/openapi.json` of a running service outside
production, and `hallporter openapi`, say exactly what every field looks like and every status that an operation has.

Beyond the codes in the last column, every operation may answer 422 `invalid_input`, 500 `internal_error` and 503;
those that take a body 400 `malformed_json`, 408, 413 and 415; those that are not for anyone 401 `invalid_access_token`
and 403 `factor_enrolment_required`; those that are counted 429 `too_many_attempts`. All of them are on
[their page](problems.md).
""".strip()
_COMMON = frozenset(
    {
        *(refusal.code for refusal in Refusal),
        *(error.code for error in concrete_errors(Unavailable)),
        *("invalid_input", "invalid_access_token", "factor_enrolment_required", "too_many_attempts"),
    }
)
_SCHEMA = "#/components/schemas/"


def render() -> str:
    """By what they are about, in the order of OpenAPI."""
    document = create_app(config=HttpConfig(public_url="https://accounts.example.com", version="1")).openapi()
    parts: list[Sequence[str]] = []
    for about, operations in _by_tag(document["paths"]).items():
        heads = ["", "what", "who", "takes", "answers", "refuses with"]
        parts += [[f"## {about.capitalize()}"], table(heads, (_row(*found) for found in operations))]
    schemas = document["components"]["schemas"]
    parts += [["## Bodies"], table(["", "fields"], ((code(name), _shown(schemas[name])) for name in sorted(schemas)))]
    return page("API", _INTRODUCTION, *parts)


def _by_tag(paths: Mapping[str, Any]) -> Mapping[str, list[tuple[str, str, Any]]]:
    found: dict[str, list[tuple[str, str, Any]]] = {}
    for path, operations in paths.items():
        for method, operation in operations.items():
            found.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return found


def _row(method: str, path: str, operation: Mapping[str, Any]) -> Sequence[str]:
    answers = operation["responses"]
    refusals = {
        name
        for answer in answers.values()
        for name in answer.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    }
    return (
        code(f"{method} {path}"),
        operation["description"].partition("\n\n")[0],
        ROUTE_POLICIES[operation["operationId"]].access.value,
        ", ".join(dict.fromkeys(_taken(operation))),
        ", ".join(_answered(answers)),
        ", ".join(map(code, sorted(refusals - _COMMON))),
    )


def _taken(operation: Mapping[str, Any]) -> Iterator[str]:
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield _type(content.get("schema", {})) if "json" in media else code(media)
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "path":
            name = f"?{parameter['name']}=" if parameter["in"] == "query" else parameter["name"]
            yield code(name) + ("" if parameter.get("required") else "?")


def _answered(answers: Mapping[str, Any]) -> Iterator[str]:
    for status in sorted(answers):
        if int(status) >= HTTPStatus.BAD_REQUEST:
            continue
        content = answers[status].get("content", {})
        shown = [_type(one.get("schema", {})) if "json" in media else code(media) for media, one in content.items()]
        yield " ".join([status, *shown])


def _shown(schema: Mapping[str, Any]) -> str:
    """The fields of an object, or what it may be."""
    if "properties" not in schema:
        return _type(schema)
    required = schema.get("required", ())
    return ", ".join(
        f"{code(name)}{'' if name in required else '?'} {_type(field)}".rstrip()
        for name, field in schema["properties"].items()
    )


def _type(schema: Mapping[str, Any]) -> str:
    """In a word or two."""
    if "$ref" in schema:
        return code(schema["$ref"].removeprefix(_SCHEMA))
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_type(one) for one in several)
    if values := schema.get("enum") or [schema[name] for name in ("const",) if name in schema]:
        return " or ".join(code(str(value)) for value in values)
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format", "text") if kind == "string" else kind)
