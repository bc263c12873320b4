"""Conditional requests (RFC 9110 section 13): entity tags from row versions."""

import re
from typing import Annotated

from fastapi import Header

from domain.users.user import StaleUser

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')

IfMatch = Annotated[
    str | None, Header(alias="If-Match", description="Do it only if this is still the `ETag` of the resource.")
]
IfNoneMatch = Annotated[
    str | None, Header(alias="If-None-Match", description="Answer 304 if this is still the `ETag` of the resource.")
]


def etag(identity: object, version: int) -> str:
    """A strong entity tag. The identity is in it because `/me` is another resource for everybody."""
    return f'"{identity}.{version}"'


def is_unchanged(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller has this version already. Compares weakly, as RFC 9110 wants it here."""
    return _names(if_none_match, tag, weakly=True)


def expect_match(if_match: str | None, tag: str) -> None:
    """Go on only if the caller speaks about this version, or about none.

    Raises: StaleUser.
    """
    if if_match is not None and not _names(if_match, tag, weakly=False):
        raise StaleUser


def _names(header: str | None, tag: str, *, weakly: bool) -> bool:
    if header is None:
        return False
    if header.strip() == "*":
        return True
    tags = _TAG.findall(header)
    return tag in tags or (weakly and f"W/{tag}" in tags)
