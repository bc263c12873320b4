"""Who is calling, as a dependency of endpoints."""

from typing import Annotated

from fastapi import BackgroundTasks, Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from adapters.http.injection import injected
from application.audit.origin import note_actor
from application.mfa.required_enrolment import RequiredEnrolment
from application.sessions.authenticate import Authenticate
from application.sessions.expect_admin import ExpectAdmin
from application.sessions.expect_fresh_proof import ExpectFreshProof
from application.sessions.note_use import NoteUse
from domain.sessions.principal import Principal
from domain.sessions.session import InvalidAccessToken

_bearer = HTTPBearer(
    auto_error=False, scheme_name="access_token", bearerFormat="JWT", description="From `POST /v1/sessions`."
)


async def _authenticated(
    request: Request, credentials: HTTPAuthorizationCredentials | None, authenticate: Authenticate
) -> Principal:
    # Of two headers, somebody in front of us may have read the other one.
    if credentials is None or len(request.headers.getlist("authorization")) > 1:
        raise InvalidAccessToken
    principal = await authenticate.execute(access_token=credentials.credentials)
    request.state.user_id = str(principal.user_id)
    note_actor(principal.user_id)
    return principal


def _is_open_while_enrolling(request: Request) -> bool:
    # As `RoutePolicy` has it; a route that declares nothing is shut.
    policy = request.app.state.policies.get(request.scope["route"].name)
    return policy is not None and policy.while_enrolling


async def get_current_user(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    authenticate: Annotated[Authenticate, injected(Authenticate)],
    enrolment: Annotated[RequiredEnrolment, injected(RequiredEnrolment)],
    note_use: Annotated[NoteUse, injected(NoteUse)],
    afterwards: BackgroundTasks,
) -> Principal:
    """The user behind the access token, and the session it belongs to. Every protected route depends on this.

    So this is where whoever has to enrol a second factor first is kept from all that is not declared for it (MF-07).

    Raises: InvalidAccessToken, FactorEnrolmentRequired.
    """
    principal = await _authenticated(request, credentials, authenticate)
    if not _is_open_while_enrolling(request):
        enrolment.expect_done(principal)
    if note_use.is_due(principal):
        afterwards.add_task(note_use.execute, principal=principal)
    return principal


async def get_optional_user(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    authenticate: Annotated[Authenticate, injected(Authenticate)],
) -> Principal | None:
    """The current user, or None where nobody says who is calling.

    What these routes do is for anyone: it is no more for somebody who has to enrol a second factor first.

    Raises: InvalidAccessToken for whoever says so and is not.
    """
    if "authorization" not in request.headers:
        return None
    return await _authenticated(request, credentials, authenticate)


CurrentUser = Annotated[Principal, Depends(get_current_user)]


async def get_recent_user(
    caller: CurrentUser, expect: Annotated[ExpectFreshProof, injected(ExpectFreshProof)]
) -> Principal:
    """The current user, if they proved who they are within the last minutes: for what is worth asking again.

    Raises: InvalidAccessToken, ReauthenticationRequired.
    """
    await expect.execute(principal=caller)
    return caller


async def get_admin(caller: CurrentUser, expect: Annotated[ExpectAdmin, injected(ExpectAdmin)]) -> Principal:
    """The current user, if they are an operator.

    Raises: InvalidAccessToken, AdminRequired.
    """
    await expect.execute(principal=caller)
    return caller


async def get_recent_admin(
    caller: Annotated[Principal, Depends(get_admin)], expect: Annotated[ExpectFreshProof, injected(ExpectFreshProof)]
) -> Principal:
    """An operator who proved who they are within the last minutes: for whatever changes something (AD-07).

    Raises: InvalidAccessToken, AdminRequired, ReauthenticationRequired.
    """
    await expect.execute(principal=caller)
    return caller


RecentAdmin = Annotated[Principal, Depends(get_recent_admin)]
AdminUser = Annotated[Principal, Depends(get_admin)]
OptionalUser = Annotated[Principal | None, Depends(get_optional_user)]
RecentUser = Annotated[Principal, Depends(get_recent_user)]
