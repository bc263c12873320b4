"""Going: `DELETE /v1/users/me`, staying after all, and taking everything along."""

from typing import Annotated

from fastapi import APIRouter, Body, Response

from adapters.http.authentication import CurrentUser, RecentUser
from adapters.http.conditional import IfMatch, etag, expected_version
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.injection import injected
from adapters.http.routing import Route
from adapters.http.schemas.exports import UserExportResponse
from adapters.http.schemas.users import DeletionRequest, DeletionResponse
from application.users.cancel_deletion import CancelDeletion
from application.users.export_user import ExportUser
from application.users.schedule_deletion import ScheduleDeletion
from domain.errors import ConcurrentUpdate, StaleVersion
from domain.users.deletion import DeletionNotScheduled
from domain.users.suspension import LastAdmin
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/users/me", tags=["users"], route_class=Route)


@router.delete(
    "",
    status_code=202,
    responses=responses("delete_me", UserNotFound, LastAdmin, StaleVersion, ConcurrentUpdate, *WITH_BODY),
)
async def delete_me(
    caller: RecentUser,
    schedule: Annotated[ScheduleDeletion, injected(ScheduleDeletion)],
    deletion_in: Annotated[DeletionRequest, Body(default_factory=DeletionRequest)],  # noqa: ARG001  (nothing is asked)
    if_match: IfMatch = None,
) -> DeletionResponse:
    """Be erased after the grace period. Every session ends now; sign in again before then to cancel."""
    version = expected_version(if_match, etag(caller.user_id, caller.user.version), caller.user.version)
    user = await schedule.execute(user_id=caller.user_id, expected_version=version)
    return DeletionResponse(deletion_due_at=user.deletion_due_at)


@router.post(
    "/deletion-cancellations",
    status_code=204,
    response_class=Response,
    responses=responses("cancel_deletion", DeletionNotScheduled, UserNotFound, ConcurrentUpdate),
)
async def cancel_deletion(caller: CurrentUser, cancel: Annotated[CancelDeletion, injected(CancelDeletion)]) -> None:
    """Stay after all."""
    await cancel.execute(user_id=caller.user_id)


@router.get("/export", responses=responses("get_export", UserNotFound))
async def get_export(caller: RecentUser, export: Annotated[ExportUser, injected(ExportUser)]) -> UserExportResponse:
    """Everything that is held about me."""
    found = await export.execute(user_id=caller.user_id)
    return UserExportResponse.of(found)
