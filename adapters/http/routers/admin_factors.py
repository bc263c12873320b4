"""`/v1/admin/users/{id}/factors`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from adapters.http.authentication import AdminUser, RecentAdmin
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.injection import injected
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.factor_resets import FactorReset, FactorResetResponse
from adapters.http.schemas.factors import FactorList
from application.mfa.list_factors import ListFactors
from application.mfa.reset_factor import ResetFactor
from domain.errors import ConcurrentUpdate
from domain.ids import FactorId, UserId
from domain.mfa.factor import FactorNotFound
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/admin/users/{user_id:uuid}/factors", tags=["operators"], route_class=Route)


@router.get("", responses=responses("list_user_factors", UserNotFound, Refusal.ROUTE_NOT_FOUND))
async def list_user_factors(
    user_id: UUID, _caller: AdminUser, factors: Annotated[ListFactors, injected(ListFactors)]
) -> FactorList:
    """Which second factors does a user have?"""
    found = await factors.execute(user_id=UserId(user_id))
    return FactorList.of(found)


@router.delete(
    "/{factor_id:uuid}",
    status_code=204,
    response_class=Response,
    responses=responses(
        "reset_factor",
        UserNotFound,
        FactorNotFound,
        ConcurrentUpdate,
        Refusal.ROUTE_NOT_FOUND,
        *WITH_BODY,
    )
    | {202: {"model": FactorResetResponse, "description": "Held: it is taken away later."}},
)
async def reset_factor(
    user_id: UUID,
    factor_id: UUID,
    reset_in: FactorReset,
    caller: RecentAdmin,
    reset: Annotated[ResetFactor, injected(ResetFactor)],
) -> Response:
    """Take a second factor away from somebody who has lost it. Every session of theirs ends, and they are told.

    Where `FACTOR_RESET_HOLD_SECONDS` says so, they are told now and it is done later. Using a second factor of theirs
    until then keeps it.
    """
    due_at = await reset.execute(
        user_id=UserId(user_id), factor_id=FactorId(factor_id), reason=reset_in.reason, by=caller.user_id
    )
    if due_at is None:
        return Response(status_code=204)
    return JSONResponse(FactorResetResponse(due_at=due_at).model_dump(mode="json"), 202)
