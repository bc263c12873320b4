"""What Pydantic found, told without repeating what was submitted."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from domain.errors import Violation

# Pydantic's names of what is wrong, our own stable ones, and what people are told.
_CODES = {
    "missing": ("missing", "This field is required."),
    "extra_forbidden": ("unknown_field", "This field is not known here."),
    "string_type": ("not_a_string", "This must be a string."),
    "bool_type": ("not_a_boolean", "This must be true or false."),
    "int_type": ("not_an_integer", "This must be a whole number."),
    "model_attributes_type": ("not_an_object", "This must be a JSON object."),
    "model_type": ("not_an_object", "This must be a JSON object."),
    "dict_type": ("not_an_object", "This must be a JSON object."),
    "uuid_parsing": ("not_an_id", "This is no id."),
    "string_too_short": ("too_short", "Use at least {min_length} characters."),
    "string_too_long": ("too_long", "Use at most {max_length} characters."),
    "too_short": ("too_short", "Use at least {min_length} characters."),
    "too_long": ("too_long", "Use at most {max_length} characters."),
}
MAX_VIOLATIONS = 20
_OTHERWISE = ("invalid", "This value is not valid here.")
# The names of unknown fields come from the caller: only those that look like names are repeated.
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def violations_of(errors: Iterable[Mapping[str, Any]]) -> Iterator[Violation]:
    """One violation for each error of Pydantic's, up to a number that helps anybody."""
    for error in islice(errors, MAX_VIOLATIONS):
        code, detail = _CODES.get(str(error["type"]), _OTHERWISE)
        yield Violation(_pointer(error["loc"]), code, detail.format_map(error.get("ctx") or {}))


def pointer_token(part: int | str) -> str:
    """One step of a JSON Pointer; empty where the caller chose a name that we would rather not repeat."""
    return str(part) if isinstance(part, int) or _NAME.fullmatch(part) else ""


def _pointer(location: Sequence[int | str]) -> str:
    source, *path = location
    tokens = [pointer_token(part) for part in path]
    match source:
        case "body":
            return "".join(f"/{token}" for token in tokens)
        case "header":
            return f"{'.'.join(tokens)}:"
    return f"?{'.'.join(tokens)}"
