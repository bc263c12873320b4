"""`/.well-known`."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from adapters.http.conditional import IfNoneMatch, etag, unchanged
from adapters.http.documentation import WITH_DATA, responses
from adapters.http.headers import ETAG, LOCATION, NOT_MODIFIED, documented
from adapters.http.injection import injected
from adapters.http.next_steps import if_changed
from adapters.http.routing import PageRoute
from adapters.http.schemas.signing import JsonWebKey, JsonWebKeySet
from application.signing.key_ring import KeyRing

router = APIRouter(prefix="/.well-known", tags=["signing"], route_class=PageRoute)

# How long verifiers may go without asking again. A key is published for longer than that before it signs.
_CACHE = {"Cache-Control": "public, max-age=300"}
_CACHED = ETAG | documented("Cache-Control", "How long the keys may be kept.")


@router.get(
    "/jwks.json",
    responses=responses("get_jwks", *WITH_DATA)
    | {200: {"headers": _CACHED, "links": if_changed("get_jwks")}, 304: NOT_MODIFIED | {"headers": _CACHED}},
    response_model=JsonWebKeySet,
)
async def get_jwks(
    response: Response, key_ring: Annotated[KeyRing, injected(KeyRing)], if_none_match: IfNoneMatch = None
) -> JsonWebKeySet | Response:
    """The public keys that access tokens are verified with (RFC 7517)."""
    keys = await key_ring.believed()
    names = hashlib.sha256(" ".join(key.id for key in keys).encode()).hexdigest()[:16]
    response.headers.update(_CACHE | {"ETag": etag(names, len(keys))})
    return unchanged(if_none_match, response.headers) or JsonWebKeySet(keys=[JsonWebKey.of(key) for key in keys])


@router.get(
    "/change-password",
    status_code=302,
    response_class=RedirectResponse,
    responses=responses("show_change_password") | {302: {"headers": LOCATION}},
)
async def show_change_password(request: Request) -> RedirectResponse:
    """Where password managers send people for another password (W3C, "A Well-Known URL for Changing Passwords")."""
    return RedirectResponse(f"{request.app.state.links_url}/forgot-password", 302)
