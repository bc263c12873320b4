"""`/v1/sessions`."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Request, Response
from fastapi.responses import JSONResponse

from adapters.http import cookies
from adapters.http.authentication import CurrentUser
from adapters.http.client import device_of
from adapters.http.conditional import IfNoneMatch, etag, unchanged
from adapters.http.cookies import expect_same_origin, forget_refresh_token, set_refresh_token
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.headers import ETAG, LOCATION, NOT_MODIFIED
from adapters.http.injection import injected
from adapters.http.new_session import asks_for_cookie, device_token_of, handed_out
from adapters.http.next_steps import ANSWER, END_NEWEST, USE_SESSION, if_changed
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.factors import FactorRequiredResponse
from adapters.http.schemas.sessions import SessionCreate, SessionList, SessionRefresh, SessionResponse, TokenResponse
from application.mfa.ask_for_factor import FactorRequired
from application.ports.password_hasher import HashingBusy
from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.end_session import EndSession
from application.sessions.list_sessions import ListSessions
from application.sessions.note_seen import NoteSeen
from application.sessions.refresh_session import RefreshSession
from application.sessions.sign_in import SignIn
from application.sessions.sign_out import SignOut
from domain.ids import SessionId
from domain.sessions.session import InvalidCredentials, InvalidRefreshToken, SessionNotFound

# Not cookies: that of the session goes by itself, and the device stays known to whoever signs in on it next.
_FORGET_ALL = {"Clear-Site-Data": '"cache", "storage"'}

router = APIRouter(prefix="/v1/sessions", tags=["sessions"], route_class=Route)


@router.post(
    "",
    status_code=201,
    responses=responses("sign_in", InvalidCredentials, HashingBusy, Refusal.CROSS_SITE_REQUEST, *WITH_BODY)
    | {
        201: {"headers": LOCATION, "links": USE_SESSION},
        202: {
            "model": FactorRequiredResponse,
            "description": "The password was right, and a second factor is needed",
            "links": ANSWER,
        },
    },
    response_model=TokenResponse,
)
async def sign_in(
    session_in: SessionCreate,
    request: Request,
    response: Response,
    sign_in: Annotated[SignIn, injected(SignIn)],
) -> TokenResponse | Response:
    """Sign in with address and password. Every refusal looks the same, whatever its cause.

    Its `reference` is what an operator finds the cause by. Whoever has second factors is asked for one of them.
    """
    in_cookie = asks_for_cookie(session_in.transport, request)
    issued = await sign_in.execute(
        email=session_in.email,
        password=session_in.password.get_secret_value(),
        device=device_of(request),
        device_token=device_token_of(session_in.device_token, request, in_cookie=in_cookie),
        visit=request.state.visit,
        request_id=request.state.request_id,
        place=request.state.place,
    )
    if isinstance(issued, FactorRequired):
        asked = FactorRequiredResponse.of(issued).model_dump(mode="json")
        return JSONResponse(asked, HTTPStatus.ACCEPTED)
    return handed_out(issued, response, in_cookie=in_cookie)


@router.post(
    "/refresh",
    responses=responses("refresh_session", InvalidRefreshToken, Refusal.CROSS_SITE_REQUEST, *WITH_BODY)
    | {200: {"links": USE_SESSION}},
)
async def refresh_session(
    session_in: SessionRefresh,
    request: Request,
    response: Response,
    refresh: Annotated[RefreshSession, injected(RefreshSession)],
    note_seen: Annotated[NoteSeen, injected(NoteSeen)],
    afterwards: BackgroundTasks,
) -> TokenResponse:
    """Exchange the refresh token for the next one.

    The same token again within 10 seconds gets the same answer again; anything older ends the session. Without one in
    the body, the one in the cookie is taken, and the next one is put there.
    """
    in_cookie = session_in.refresh_token is None
    if session_in.refresh_token is not None:
        token = session_in.refresh_token.get_secret_value()
    else:
        expect_same_origin(request)
        token = request.cookies.get(cookies.REFRESH, "")
    issued = await refresh.execute(refresh_token=token)
    if note_seen.is_due(issued.user):
        afterwards.add_task(note_seen.execute, user=issued.user)
    if in_cookie:
        set_refresh_token(response, issued)
    return TokenResponse.of(issued, in_cookie=in_cookie)


@router.get(
    "/current",
    responses=responses("get_current_session")
    | {200: {"headers": ETAG, "links": if_changed("get_current_session")}, 304: NOT_MODIFIED},
    response_model=SessionResponse,
)
async def get_current_session(
    caller: CurrentUser, response: Response, if_none_match: IfNoneMatch = None
) -> SessionResponse | Response:
    """The session that the access token belongs to."""
    # The last use is noted without counting a version.
    noted = f"{caller.session.id}.{caller.session.last_used_at.timestamp():.0f}"
    response.headers["ETag"] = etag(noted, caller.session.version)
    return unchanged(if_none_match, response.headers) or SessionResponse.of(caller.session, current=True)


@router.delete(
    "/current",
    status_code=204,
    response_class=Response,
    responses=responses("sign_out", SessionNotFound),
)
async def sign_out(caller: CurrentUser, request: Request, sign_out: Annotated[SignOut, injected(SignOut)]) -> Response:
    """Sign out: the session's tokens open nothing from now on."""
    await sign_out.execute(session_id=caller.session_id)
    response = Response(status_code=204, headers=_FORGET_ALL)
    forget_refresh_token(request, response)
    return response


@router.get("", responses=responses("list_sessions") | {200: {"links": END_NEWEST}})
async def list_sessions(caller: CurrentUser, sessions: Annotated[ListSessions, injected(ListSessions)]) -> SessionList:
    """Where am I signed in?"""
    found = await sessions.execute(user_id=caller.user_id)
    return SessionList.of(found, current=caller.session_id)


@router.delete("", status_code=204, response_class=Response, responses=responses("end_other_sessions"))
async def end_other_sessions(
    caller: CurrentUser, end_others: Annotated[EndOtherSessions, injected(EndOtherSessions)]
) -> None:
    """End every session of mine but this one."""
    await end_others.execute(user_id=caller.user_id, keep=caller.session_id)


@router.delete(
    "/{session_id:uuid}",
    status_code=204,
    response_class=Response,
    responses=responses("end_session", SessionNotFound, Refusal.ROUTE_NOT_FOUND),
)
async def end_session(session_id: UUID, caller: CurrentUser, end: Annotated[EndSession, injected(EndSession)]) -> None:
    """End one of my sessions."""
    await end.execute(user_id=caller.user_id, session_id=SessionId(session_id))
