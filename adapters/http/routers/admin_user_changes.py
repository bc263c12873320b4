"""`/v1/admin/users`: making users, changing them, and letting them go."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from adapters.http.authentication import RecentAdmin
from adapters.http.conditional import IfMatch, required_version
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.headers import ETAG, LOCATION
from adapters.http.idempotency import OnceForRecentAdmin
from adapters.http.injection import injected
from adapters.http.next_steps import USE_USER
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.operated_users import (
    OperatedUserCreate,
    OperatedUserResponse,
    OperatedUserUpdate,
    operated_etag,
)
from adapters.http.schemas.users import DeletionResponse
from application.admin.change_user import ChangeUser
from application.admin.erase_any_user import EraseAnyUser
from application.ports.password_hasher import HashingBusy
from application.users.cancel_deletion import CancelDeletion
from application.users.create_user import CreateUser
from application.users.get_user import GetUser
from application.users.schedule_deletion import ScheduleDeletion
from domain.errors import ConcurrentUpdate, StaleVersion
from domain.ids import UserId
from domain.users.deletion import DeletionNotScheduled
from domain.users.password_policy import PasswordRejected
from domain.users.registration import EmailAlreadyRegistered
from domain.users.suspension import LastAdmin
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/admin/users", tags=["operators"], route_class=Route)


@router.post(
    "",
    status_code=201,
    responses=responses(
        "create_user",
        EmailAlreadyRegistered,
        PasswordRejected,
        HashingBusy,
        UserNotFound,
        *WITH_BODY,
    )
    | {201: {"headers": LOCATION | ETAG, "links": USE_USER}},
)
async def create_user(
    user_in: OperatedUserCreate,
    caller: RecentAdmin,
    response: Response,
    once: OnceForRecentAdmin,
    create: Annotated[CreateUser, injected(CreateUser)],
) -> OperatedUserResponse:
    """Make a user, whether registration is open or not. Without a password, they are mailed an invitation."""
    user = await create.execute(
        email=user_in.email,
        password=user_in.password.get_secret_value() if user_in.password is not None else None,
        display_name=user_in.display_name,
        locale=user_in.locale,
        roles=frozenset(user_in.roles),
        email_verified=user_in.email_verified,
        by=caller.user_id,
        once=once,
    )
    response.headers.update({"Location": f"/v1/admin/users/{user.id}", "ETag": operated_etag(user)})
    return OperatedUserResponse.of(user)


@router.patch(
    "/{user_id:uuid}",
    responses=responses(
        "change_user",
        UserNotFound,
        Refusal.ROUTE_NOT_FOUND,
        EmailAlreadyRegistered,
        LastAdmin,
        StaleVersion,
        ConcurrentUpdate,
        Refusal.IF_MATCH_REQUIRED,
        *WITH_BODY,
    )
    | {200: {"headers": ETAG, "links": USE_USER}},
)
async def change_user(
    user_id: UUID,
    user_in: OperatedUserUpdate,
    caller: RecentAdmin,
    response: Response,
    users: Annotated[GetUser, injected(GetUser)],
    change: Annotated[ChangeUser, injected(ChangeUser)],
    if_match: IfMatch = None,
) -> OperatedUserResponse:
    """Change a user, by a merge patch (RFC 7396) of the version that `If-Match` names.

    Roles count from the next request on. Another address counts as proven only if that is said as well, ends every
    session, and is told to the mailbox of before if that was proven.
    """
    present = await users.execute(who=UserId(user_id))
    version = required_version(if_match, operated_etag(present), present.version)
    user = await change.execute(
        user_id=UserId(user_id), expected_version=version, by=caller.user_id, **user_in.changes()
    )
    response.headers["ETag"] = operated_etag(user)
    return OperatedUserResponse.of(user)


@router.delete(
    "/{user_id:uuid}",
    status_code=202,
    response_model=DeletionResponse,
    responses=responses(
        "delete_user",
        UserNotFound,
        Refusal.ROUTE_NOT_FOUND,
        LastAdmin,
        StaleVersion,
        ConcurrentUpdate,
        Refusal.IF_MATCH_REQUIRED,
    )
    | {204: {"description": "Erased."}},
)
async def delete_user(
    user_id: UUID,
    caller: RecentAdmin,
    users: Annotated[GetUser, injected(GetUser)],
    schedule: Annotated[ScheduleDeletion, injected(ScheduleDeletion)],
    erase: Annotated[EraseAnyUser, injected(EraseAnyUser)],
    if_match: IfMatch = None,
    mode: Annotated[
        Literal["grace", "erase"],
        Query(description="`grace`: at the end of the grace period, until which it can be cancelled; `erase`: now."),
    ] = "grace",
) -> DeletionResponse | Response:
    """Have a user erased: after the grace period, their sessions ending now, or at once and for good."""
    present = await users.execute(who=UserId(user_id))
    version = required_version(if_match, operated_etag(present), present.version)
    if mode == "erase":
        await erase.execute(user_id=UserId(user_id), expected_version=version, by=caller.user_id)
        return Response(status_code=204)
    user = await schedule.execute(user_id=UserId(user_id), expected_version=version, by=caller.user_id)
    return DeletionResponse(deletion_due_at=user.deletion_due_at)


@router.post(
    "/{user_id:uuid}/deletion-cancellations",
    status_code=204,
    response_class=Response,
    responses=responses(
        "cancel_user_deletion",
        UserNotFound,
        DeletionNotScheduled,
        Refusal.ROUTE_NOT_FOUND,
        ConcurrentUpdate,
    ),
)
async def cancel_user_deletion(
    user_id: UUID, caller: RecentAdmin, cancel: Annotated[CancelDeletion, injected(CancelDeletion)]
) -> None:
    """Let a user stay who was to be erased. Their sessions are over all the same."""
    await cancel.execute(user_id=UserId(user_id), by=caller.user_id)
