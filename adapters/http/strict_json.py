"""Request bodies, read strictly (IN-02, IN-03).

Python's parser and FastAPI take more than JSON: duplicate names, NaN, numbers that become infinite, UTF-16, NUL and
lone surrogates. Each has been somebody's hole, or an error at PostgreSQL later on; here they end at the door.
"""

import json
import math
import re
from typing import Any, NoReturn

from fastapi import Request

from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.validation import pointer_token
from domain.errors import InvalidFields, Violation
from domain.text import is_storable

MAX_DEPTH = 32
# Read by ourselves: Python's own reader takes time that grows with the square of what strangers send.
_MEDIA_TYPE = re.compile(
    r"application/(?P<patch>merge-patch\+)?json[ \t]*(?:;[ \t]*charset=(?:utf-8|\"utf-8\")[ \t]*)?;?[ \t]*",
    re.IGNORECASE,
)
_LONGEST_MEDIA_TYPE = 256
MERGE_PATCH = "application/merge-patch+json"


class StrictRequest(Request):
    """A request that has strict JSON as its body, or none. `Armour` lets no more than 64 KB come here."""

    async def body(self) -> bytes:
        if not hasattr(self, "_strict_body"):
            read = await super().body()
            encoded = self.headers.get("content-encoding", "identity") != "identity"
            if read and (encoded or not self._has_json()):
                raise RefusedByHttp(Refusal.UNSUPPORTED_MEDIA_TYPE)
            self._strict_body = read
        return self._strict_body

    async def json(self) -> Any:  # noqa: ANN401  (as the method it replaces)
        return parse(await self.body())

    def _has_json(self) -> bool:
        given = self.headers.get("content-type", "")
        parts = _MEDIA_TYPE.fullmatch(given) if len(given) <= _LONGEST_MEDIA_TYPE else None
        return parts is not None and (not parts["patch"] or self.method == "PATCH")


def parse(body: bytes) -> object:
    """The value of a JSON text (RFC 8259), which must be UTF-8.

    Raises: RefusedByHttp for what is not strict JSON, InvalidFields for strings that cannot be stored.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        _refuse("The body is not UTF-8.")
    if text.startswith("\ufeff"):
        _refuse("The body begins with a byte order mark.")
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
        )
    except RecursionError:
        _refuse(f"The body is nested deeper than {MAX_DEPTH} levels.")
    except json.JSONDecodeError as error:
        _refuse(f"The body is not JSON at character {error.pos}.")
    _check(value, "", MAX_DEPTH)
    return value


def _refuse(detail: str) -> NoReturn:
    raise RefusedByHttp(Refusal.MALFORMED_JSON, detail=detail) from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        _refuse("An object names a field twice.")
    return members


def _constant(_name: str) -> NoReturn:
    _refuse("NaN and Infinity are not JSON.")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        _refuse("A number is too large.")
    return number


def _int(text: str) -> int:
    if len(text) > len(str(-(2**63))):
        _refuse("A number is too large.")
    return int(text)


def _check(value: object, pointer: str, levels_left: int) -> None:
    if isinstance(value, str):
        if not is_storable(value):
            detail = "NUL and lone surrogates cannot be stored."
            raise InvalidFields([Violation(pointer, "unstorable_text", detail)])
    elif isinstance(value, dict | list):
        if levels_left == 0:
            _refuse(f"The body is nested deeper than {MAX_DEPTH} levels.")
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            _check(name, pointer, levels_left)
            _check(member, f"{pointer}/{pointer_token(name)}", levels_left - 1)
