"""`/v1/users`."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from adapters.http.authentication import CurrentUser
from adapters.http.client import network_address
from adapters.http.conditional import IfMatch, IfNoneMatch, etag, expected_version, unchanged
from adapters.http.documentation import WITH_BODY, WITH_OWN_CHANGE, responses
from adapters.http.headers import ETAG, LOCATION, NOT_MODIFIED
from adapters.http.idempotency import OnceForAnyone
from adapters.http.injection import injected
from adapters.http.next_steps import CHANGE_PROFILE, SIGN_IN, if_changed
from adapters.http.routing import Route
from adapters.http.schemas.factors import Reauthentication
from adapters.http.schemas.sessions import SessionResponse
from adapters.http.schemas.users import PasswordChange, UserCreate, UserResponse, UserUpdate
from application.ports.password_hasher import HashingBusy
from application.sessions.reauthenticate import Reauthenticate
from application.users.change_password import ChangePassword
from application.users.register_user import RegisterUser
from application.users.update_profile import UpdateProfile
from domain.errors import StaleVersion
from domain.mfa.factor import FactorProofRequired, InvalidFactor
from domain.users.password import WrongPassword
from domain.users.password_policy import PasswordRejected
from domain.users.registration import EmailAlreadyRegistered, RegistrationClosed
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/users", tags=["users"], route_class=Route)


@router.post(
    "",
    status_code=201,
    responses=responses(
        "register_user", EmailAlreadyRegistered, RegistrationClosed, PasswordRejected, HashingBusy, *WITH_BODY
    )
    | {
        201: {"headers": LOCATION | ETAG, "links": SIGN_IN},
        202: {"description": "Accepted, where nobody is told which addresses are registered: a mail follows"},
    },
    response_model=UserResponse,
)
async def register_user(
    user_in: UserCreate,
    request: Request,
    response: Response,
    once: OnceForAnyone,
    register: Annotated[RegisterUser, injected(RegisterUser)],
) -> UserResponse | Response:
    """Register. The address is unproven until its owner has answered a mail."""
    user = await register.execute(
        email=user_in.email,
        password=user_in.password.get_secret_value(),
        display_name=user_in.display_name,
        locale=user_in.locale,
        network_address=network_address(request),
        once=once,
    )
    if user is None:
        return Response(status_code=202)
    response.headers.update({"Location": "/v1/users/me", "ETag": etag(user.id, user.version)})
    return UserResponse.of(user)


@router.get(
    "/me",
    responses=responses("get_me")
    | {200: {"headers": ETAG, "links": CHANGE_PROFILE | if_changed("get_me")}, 304: NOT_MODIFIED},
    response_model=UserResponse,
)
async def get_me(caller: CurrentUser, response: Response, if_none_match: IfNoneMatch = None) -> UserResponse | Response:
    """Who am I?"""
    response.headers["ETag"] = etag(caller.user.id, caller.user.version)
    return unchanged(if_none_match, response.headers) or UserResponse.of(caller.user)


@router.patch(
    "/me",
    responses=responses("update_me", UserNotFound, StaleVersion, *WITH_BODY)
    | {200: {"headers": ETAG, "links": CHANGE_PROFILE}},
)
async def update_me(
    user_in: UserUpdate,
    caller: CurrentUser,
    response: Response,
    update: Annotated[UpdateProfile, injected(UpdateProfile)],
    if_match: IfMatch = None,
) -> UserResponse:
    """Change what I say about myself, by a merge patch (RFC 7396)."""
    version = expected_version(if_match, etag(caller.user_id, caller.user.version), caller.user.version)
    user = await update.execute(user_id=caller.user_id, changes=user_in.changes(), expected_version=version)
    response.headers["ETag"] = etag(user.id, user.version)
    return UserResponse.of(user)


@router.put(
    "/me/password",
    status_code=204,
    response_class=Response,
    responses=responses(
        "change_password",
        WrongPassword,
        PasswordRejected,
        HashingBusy,
        *WITH_OWN_CHANGE,
        *WITH_BODY,
    ),
)
async def change_password(
    password_in: PasswordChange, caller: CurrentUser, change: Annotated[ChangePassword, injected(ChangePassword)]
) -> None:
    """Change my password. Every other session of mine ends; this one goes on."""
    await change.execute(
        user_id=caller.user_id,
        session_id=caller.session_id,
        current=password_in.current_password.get_secret_value(),
        new=password_in.new_password.get_secret_value(),
    )


@router.post(
    "/me/reauthentications",
    responses=responses(
        "reauthenticate",
        WrongPassword,
        InvalidFactor,
        FactorProofRequired,
        HashingBusy,
        *WITH_OWN_CHANGE,
        *WITH_BODY,
    ),
)
async def reauthenticate(
    proof_in: Reauthentication, caller: CurrentUser, reauthenticate: Annotated[Reauthenticate, injected(Reauthenticate)]
) -> SessionResponse:
    """Prove again who I am, for what is asked for with `reauthentication_required`.

    Whoever has second factors does it by one of those.
    """
    session = await reauthenticate.execute(user_id=caller.user_id, session_id=caller.session_id, proof=proof_in.proof())
    return SessionResponse.of(session, current=True)
