"""`/v1/admin/users/{id}/suspensions`."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response

from adapters.http.authentication import RecentAdmin
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.headers import LOCATION
from adapters.http.idempotency import OnceForRecentAdmin
from adapters.http.injection import injected
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.suspensions import SuspensionCreate, SuspensionResponse
from application.admin.reinstate_user import ReinstateUser
from application.admin.suspend_user import SuspendUser
from domain.errors import ConcurrentUpdate
from domain.ids import UserId
from domain.users.suspension import AlreadySuspended, LastAdmin, NotSuspended
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/admin/users/{user_id:uuid}/suspensions", tags=["operators"], route_class=Route)


@router.post(
    "",
    status_code=201,
    responses=responses(
        "suspend_user",
        UserNotFound,
        AlreadySuspended,
        LastAdmin,
        ConcurrentUpdate,
        Refusal.ROUTE_NOT_FOUND,
        *WITH_BODY,
    )
    | {201: {"headers": LOCATION}},
)
async def suspend_user(
    user_id: UUID,
    suspension_in: SuspensionCreate,
    caller: RecentAdmin,
    response: Response,
    once: OnceForRecentAdmin,
    suspend: Annotated[SuspendUser, injected(SuspendUser)],
) -> SuspensionResponse:
    """Keep a user out, for a while or until reinstated. Every session of theirs ends."""
    suspension = await suspend.execute(
        user_id=UserId(user_id), reason=suspension_in.reason, until=suspension_in.until, by=caller.user_id, once=once
    )
    response.headers["Location"] = f"/v1/admin/users/{user_id}/suspensions/current"
    return SuspensionResponse.of(suspension)


@router.delete(
    "/current",
    status_code=204,
    response_class=Response,
    responses=responses("reinstate_user", UserNotFound, NotSuspended, ConcurrentUpdate, Refusal.ROUTE_NOT_FOUND),
)
async def reinstate_user(
    user_id: UUID, caller: RecentAdmin, reinstate: Annotated[ReinstateUser, injected(ReinstateUser)]
) -> None:
    """Let a suspended user in again. What ended with the suspension stays over."""
    await reinstate.execute(user_id=UserId(user_id), by=caller.user_id)
