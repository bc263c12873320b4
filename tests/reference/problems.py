"""Every code that a refusal may have."""

from adapters.http.problems import all_codes
from tests.reference import code, page, table

_INTRODUCTION = (
    "Every answer of 400 and above is `application/problem+json` (RFC 9457). `code` is stable; `type` leads to a page "
    "with the same words. Where an operation has another status for a code, OpenAPI says so."
)


def render() -> str:
    """By status, and then by name."""
    found = sorted((status, name, title, meaning) for name, (title, status, meaning) in all_codes().items())
    rows = (
        (str(status), code(name), title, meaning if meaning != title else "") for status, name, title, meaning in found
    )
    return page("Problems", _INTRODUCTION, table(["status", "code", "title", "when"], rows))
