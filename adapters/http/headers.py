"""Response headers that several routes share, as sent and as documented."""

from typing import Any

NO_STORE = {"Cache-Control": "no-store"}
"""For what no cache may keep; `Route` adds it to all that is not public."""


def documented(name: str, description: str, *, always: bool = True) -> dict[str, Any]:
    """A header, for OpenAPI."""
    return {name: {"description": description, "required": always, "schema": {"type": "string"}}}


ETAG = documented("ETag", "The version of the resource, for `If-Match` and `If-None-Match`.")
DEVICE_TOKEN = documented("Device-Token", "What the device is known by at the next sign-in, as `device_token`.")
LINK = documented("Link", 'The next page, as `rel="next"`; absent at the end.', always=False)
LOCATION = documented("Location", "Where the new resource is.")
NOT_MODIFIED = {"description": "Not Modified", "headers": ETAG}
