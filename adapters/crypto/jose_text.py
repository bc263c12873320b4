"""What the library leaves open about the texts of tokens: one spelling of each, and no name twice."""

import base64
import json


def decoded_object(segment: str) -> dict[str, object] | None:
    """The JSON object in a segment, or None."""
    try:
        return parsed_object(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        return None


def parsed_object(text: bytes) -> dict[str, object] | None:
    """A JSON object without duplicate names, or None."""
    try:
        value = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _without_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    names = dict(pairs)
    if len(names) != len(pairs):
        message = "duplicate name"
        raise ValueError(message)
    return names


def is_canonical(segment: str) -> bool:
    """Whether no other text stands for the same bytes: unused bits at the end must be zero."""
    try:
        content = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except ValueError:
        return False
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode() == segment
