"""`/v1/admin`: what operators do about one user."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Response

from adapters.http.authentication import AdminUser, RecentAdmin
from adapters.http.conditional import IfNoneMatch, unchanged
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.headers import ETAG, NOT_MODIFIED
from adapters.http.idempotency import OnceForRecentAdmin
from adapters.http.injection import injected
from adapters.http.next_steps import END_ANY, USE_USER, if_changed
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.operated_users import OperatedPasswordReset, OperatedUserResponse, operated_etag
from adapters.http.schemas.sessions import SessionList
from adapters.http.schemas.users import UserLookup
from application.admin.clear_throttles import ClearThrottles
from application.admin.end_user_session import EndUserSession
from application.admin.end_user_sessions import EndUserSessions
from application.admin.request_user_password_reset import RequestUserPasswordReset
from application.ports.rate_limiter import ThrottlesUnavailable
from application.sessions.list_sessions import ListSessions
from application.users.get_user import GetUser
from domain.errors import ConcurrentUpdate
from domain.ids import SessionId, UserId
from domain.sessions.session import SessionNotFound
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/admin", tags=["operators"], route_class=Route)


@router.post(
    "/users/lookups",
    responses=responses("look_up_user", UserNotFound, *WITH_BODY) | {200: {"headers": ETAG, "links": USE_USER}},
)
async def look_up_user(
    lookup_in: UserLookup, _caller: AdminUser, response: Response, users: Annotated[GetUser, injected(GetUser)]
) -> OperatedUserResponse:
    """The user with exactly this address, in whatever spelling."""
    user = await users.execute(who=lookup_in.email)
    response.headers["ETag"] = operated_etag(user)
    return OperatedUserResponse.of(user)


@router.get(
    "/users/{user_id:uuid}",
    responses=responses("get_user", UserNotFound, Refusal.ROUTE_NOT_FOUND)
    | {200: {"headers": ETAG, "links": if_changed("get_user")}, 304: NOT_MODIFIED},
    response_model=OperatedUserResponse,
)
async def get_user(
    user_id: UUID,
    _caller: AdminUser,
    response: Response,
    users: Annotated[GetUser, injected(GetUser)],
    if_none_match: IfNoneMatch = None,
) -> OperatedUserResponse | Response:
    """One user."""
    user = await users.execute(who=UserId(user_id))
    response.headers["ETag"] = operated_etag(user)
    return unchanged(if_none_match, response.headers) or OperatedUserResponse.of(user)


@router.get(
    "/users/{user_id:uuid}/sessions",
    responses=responses("list_user_sessions", UserNotFound, Refusal.ROUTE_NOT_FOUND) | {200: {"links": END_ANY}},
)
async def list_user_sessions(
    user_id: UUID,
    caller: AdminUser,
    users: Annotated[GetUser, injected(GetUser)],
    sessions: Annotated[ListSessions, injected(ListSessions)],
) -> SessionList:
    """Where is this user signed in?"""
    user = await users.execute(who=UserId(user_id))
    found = await sessions.execute(user_id=user.id)
    return SessionList.of(found, current=caller.session_id)


@router.delete(
    "/users/{user_id:uuid}/sessions",
    status_code=204,
    response_class=Response,
    responses=responses("end_user_sessions", UserNotFound, Refusal.ROUTE_NOT_FOUND, ConcurrentUpdate),
)
async def end_user_sessions(
    user_id: UUID, caller: RecentAdmin, end: Annotated[EndUserSessions, injected(EndUserSessions)]
) -> None:
    """End every session of a user."""
    await end.execute(user_id=UserId(user_id), by=caller.user_id)


@router.delete(
    "/sessions/{session_id:uuid}",
    status_code=204,
    response_class=Response,
    responses=responses("end_any_session", SessionNotFound, Refusal.ROUTE_NOT_FOUND, ConcurrentUpdate),
)
async def end_any_session(
    session_id: UUID, caller: RecentAdmin, end: Annotated[EndUserSession, injected(EndUserSession)]
) -> None:
    """End one session, whosever it is."""
    await end.execute(session_id=SessionId(session_id), by=caller.user_id)


@router.post(
    "/users/{user_id:uuid}/password-resets",
    status_code=202,
    response_class=Response,
    responses=responses(
        "request_user_password_reset", UserNotFound, Refusal.ROUTE_NOT_FOUND, ConcurrentUpdate, *WITH_BODY
    ),
)
async def request_user_password_reset(
    user_id: UUID,
    caller: RecentAdmin,
    once: OnceForRecentAdmin,
    reset: Annotated[RequestUserPasswordReset, injected(RequestUserPasswordReset)],
    reset_in: Annotated[OperatedPasswordReset, Body(default_factory=OperatedPasswordReset)],
) -> Response:
    """Have the user mailed a link for choosing another password. Nobody else sees or chooses one.

    `discard` is for a password that others may know: it and every session end now.
    """
    await reset.execute(user_id=UserId(user_id), discard=reset_in.discard, by=caller.user_id, once=once)
    return Response(status_code=202)


@router.delete(
    "/users/{user_id:uuid}/throttles",
    status_code=204,
    response_class=Response,
    responses=responses("clear_throttles", UserNotFound, Refusal.ROUTE_NOT_FOUND, ThrottlesUnavailable),
)
async def clear_throttles(
    user_id: UUID, caller: RecentAdmin, clear: Annotated[ClearThrottles, injected(ClearThrottles)]
) -> None:
    """Let the user, and everybody else, try the password again."""
    await clear.execute(user_id=UserId(user_id), by=caller.user_id)
