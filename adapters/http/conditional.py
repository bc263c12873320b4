"""Conditional requests (RFC 9110 section 13): entity tags from row versions."""

import re
from collections.abc import Mapping
from typing import Annotated

from fastapi import Header, Response

from adapters.http.refusals import Refusal, RefusedByHttp
from domain.errors import StaleVersion

_TAG = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS = re.compile(rf"\s*{_TAG}(?:\s*,\s*{_TAG})*\s*")

_EXAMPLES = ['"0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d.1"', "*"]

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="Do it only if this is still the `ETag` of the resource.",
        examples=_EXAMPLES,
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="Answer 304 if this is still the `ETag` of the resource.",
        examples=_EXAMPLES,
    ),
]


def etag(identity: object, version: int) -> str:
    """A strong entity tag. The identity is in it because `/me` is another resource for everybody."""
    return f'"{identity}.{version}"'


def unchanged(if_none_match: str | None, headers: Mapping[str, str]) -> Response | None:
    """The 304 for a caller who has this version already, or None. Compares weakly, as RFC 9110 wants it here."""
    tag = headers["ETag"]
    if if_none_match is None or not (_is_any(if_none_match) or {tag, f"W/{tag}"} & _tags(if_none_match)):
        return None
    return Response(status_code=304, headers=dict(headers))


def expected_version(if_match: str | None, tag: str, version: int) -> int | None:
    """The version that must still be the present one when writing a resource with that tag; None where any will do.

    Raises: StaleVersion when the caller speaks about another than the present one.
    """
    if if_match is None or _is_any(if_match):
        return None
    if tag not in _tags(if_match):
        raise StaleVersion
    return version


def required_version(if_match: str | None, tag: str, version: int) -> int | None:
    """As `expected_version`, where somebody else's work is at stake.

    Raises: RefusedByHttp where the caller names no version; StaleVersion.
    """
    if if_match is None:
        raise RefusedByHttp(Refusal.IF_MATCH_REQUIRED)
    return expected_version(if_match, tag, version)


def _is_any(header: str) -> bool:
    return header.strip() == "*"


def _tags(header: str) -> set[str]:
    return set(re.findall(_TAG, header)) if _TAGS.fullmatch(header) else set()
