"""`/v1/admin/signing-keys`."""

from typing import Annotated

from fastapi import APIRouter

from adapters.http.authentication import AdminUser, RecentAdmin
from adapters.http.documentation import responses
from adapters.http.idempotency import OnceForRecentAdmin
from adapters.http.injection import injected
from adapters.http.routing import Route
from adapters.http.schemas.signing import SigningKeyList, SigningKeyResponse
from application.signing.list_signing_keys import ListSigningKeys
from application.signing.rotate_signing_key import RotateSigningKey
from domain.errors import ConcurrentUpdate
from domain.signing.signing_key import ActiveSigningKeyExists, NextKeyTooYoung

router = APIRouter(prefix="/v1/admin/signing-keys", tags=["operators"], route_class=Route)


@router.get("", responses=responses("list_signing_keys"))
async def list_signing_keys(
    _caller: AdminUser, keys: Annotated[ListSigningKeys, injected(ListSigningKeys)]
) -> SigningKeyList:
    """Every key that there has been, and where it stands. Private halves never leave the service."""
    return SigningKeyList(items=[SigningKeyResponse.of(key) for key in await keys.execute()])


@router.post(
    "",
    status_code=201,
    responses=responses("rotate_signing_key", NextKeyTooYoung, ActiveSigningKeyExists, ConcurrentUpdate),
)
async def rotate_signing_key(
    caller: RecentAdmin, once: OnceForRecentAdmin, rotate: Annotated[RotateSigningKey, injected(RotateSigningKey)]
) -> SigningKeyResponse:
    """Let the next key sign, and prepare another. The one of before is believed as long as its tokens live: none fails.

    Happens by itself every 90 days. A key that somebody else may have is revoked with `hallporter keys revoke`.
    """
    key = await rotate.execute(by=caller.user_id, once=once)
    return SigningKeyResponse.of(key)
