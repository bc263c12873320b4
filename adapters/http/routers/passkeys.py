"""`/v1/passkeys` and `/v1/users/me/passkeys`."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from adapters.http.authentication import CurrentUser, RecentUser
from adapters.http.client import device_of
from adapters.http.documentation import WITH_BODY, WITH_OWN_CHANGE, responses
from adapters.http.headers import LOCATION
from adapters.http.injection import injected
from adapters.http.new_session import asks_for_cookie, device_token_of, handed_out
from adapters.http.next_steps import USE_SESSION
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.factors import FactorReference, FactorResponse
from adapters.http.schemas.passkeys import (
    PasskeyAsk,
    PasskeyCreate,
    PasskeyOptions,
    PasskeySessionCreate,
    PasskeyUpdate,
    RegisteredPasskeyResponse,
)
from adapters.http.schemas.sessions import TokenResponse
from application.mfa.ask_for_passkey import AskForPasskey
from application.mfa.offer_passkey import OfferPasskey
from application.mfa.register_passkey import RegisterPasskey
from application.mfa.remove_factor import RemoveFactor
from application.mfa.rename_passkey import RenamePasskey
from application.ports.password_hasher import HashingBusy
from application.sessions.sign_in_with_passkey import SignInWithPasskey
from domain.ids import FactorId
from domain.mfa.factor import (
    EmailNotVerified,
    FactorKind,
    FactorNotFound,
    InvalidFactor,
    TooManyFactors,
)
from domain.mfa.passkey import InvalidPasskey, LastWayIn, NoPasskey, PasskeyAlreadyRegistered
from domain.mfa.requirement import FactorIsRequired
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1", tags=["passkeys"], route_class=Route)


@router.post("/passkeys/options", responses=responses("ask_for_passkey", InvalidFactor, *WITH_BODY))
async def ask_for_passkey(ask_in: PasskeyAsk, ask: Annotated[AskForPasskey, injected(AskForPasskey)]) -> PasskeyOptions:
    """Begin to sign in with a passkey; with a challenge, show one as second factor.

    To sign in, whichever passkey the browser has is asked for: nobody says who they are, so nothing is told of anybody.
    """
    challenge = ask_in.challenge()
    asked = await (ask.to_sign_in() if challenge is None else ask.as_second_factor(challenge_id=challenge))
    return PasskeyOptions.of(asked)


@router.post(
    "/passkeys/sessions",
    status_code=201,
    responses=responses("sign_in_with_passkey", InvalidPasskey, Refusal.CROSS_SITE_REQUEST, *WITH_BODY)
    | {201: {"headers": LOCATION, "links": USE_SESSION}},
)
async def sign_in_with_passkey(
    session_in: PasskeySessionCreate,
    request: Request,
    response: Response,
    sign_in: Annotated[SignInWithPasskey, injected(SignInWithPasskey)],
) -> TokenResponse:
    """Sign in with a passkey alone, whose holder was verified. Every refusal looks the same, whatever its cause.

    What was asked is good for one answer, right or wrong.
    """
    in_cookie = asks_for_cookie(session_in.transport, request)
    issued = await sign_in.execute(
        answer=session_in.passkey.answer(),
        device=device_of(request),
        device_token=device_token_of(session_in.device_token, request, in_cookie=in_cookie),
        strangers_wait=getattr(request.state, "strangers_wait", None),
        request_id=request.state.request_id,
    )
    return handed_out(issued, response, in_cookie=in_cookie)


@router.post(
    "/users/me/reauthentications/options",
    responses=responses("ask_for_passkey_proof", NoPasskey, UserNotFound),
)
async def ask_for_passkey_proof(
    caller: CurrentUser, ask: Annotated[AskForPasskey, injected(AskForPasskey)]
) -> PasskeyOptions:
    """Begin to prove again who I am, with a passkey of mine."""
    asked = await ask.as_fresh_proof(user_id=caller.user_id, session_id=caller.session_id)
    return PasskeyOptions.of(asked)


@router.post(
    "/users/me/passkeys/options",
    responses=responses("offer_passkey", EmailNotVerified, TooManyFactors, *WITH_OWN_CHANGE),
)
async def offer_passkey(caller: RecentUser, offer: Annotated[OfferPasskey, injected(OfferPasskey)]) -> PasskeyOptions:
    """Begin to register a passkey."""
    asked = await offer.execute(user_id=caller.user_id, session_id=caller.session_id)
    return PasskeyOptions.of(asked)


@router.post(
    "/users/me/passkeys",
    status_code=201,
    responses=responses(
        "register_passkey",
        InvalidPasskey,
        EmailNotVerified,
        TooManyFactors,
        PasskeyAlreadyRegistered,
        HashingBusy,
        *WITH_OWN_CHANGE,
        *WITH_BODY,
    ),
)
async def register_passkey(
    passkey_in: PasskeyCreate, caller: RecentUser, register: Annotated[RegisterPasskey, injected(RegisterPasskey)]
) -> RegisteredPasskeyResponse:
    """Register the passkey that my browser has made. Every other session of mine ends.

    From now on, signing in by password takes a second factor too.
    """
    registered = await register.execute(
        user_id=caller.user_id,
        session_id=caller.session_id,
        answer=passkey_in.passkey.answer(),
        name=passkey_in.name,
    )
    return RegisteredPasskeyResponse.of(registered)


@router.patch(
    "/users/me/passkeys/{factor_id:uuid}",
    responses=responses("rename_passkey", FactorNotFound, Refusal.ROUTE_NOT_FOUND, *WITH_OWN_CHANGE, *WITH_BODY),
)
async def rename_passkey(
    factor_id: FactorReference,
    passkey_in: PasskeyUpdate,
    caller: RecentUser,
    rename: Annotated[RenamePasskey, injected(RenamePasskey)],
) -> FactorResponse:
    """Call a passkey of mine otherwise."""
    passkey = await rename.execute(
        user_id=caller.user_id, session_id=caller.session_id, factor_id=FactorId(factor_id), name=passkey_in.name
    )
    return FactorResponse.of(passkey)


@router.delete(
    "/users/me/passkeys/{factor_id:uuid}",
    status_code=204,
    response_class=Response,
    responses=responses(
        "remove_passkey", FactorNotFound, FactorIsRequired, LastWayIn, Refusal.ROUTE_NOT_FOUND, *WITH_OWN_CHANGE
    ),
)
async def remove_passkey(
    factor_id: FactorReference, caller: RecentUser, remove: Annotated[RemoveFactor, injected(RemoveFactor)]
) -> None:
    """Do without a passkey. Every other session of mine ends; with the last factor the recovery codes go."""
    await remove.execute(
        user_id=caller.user_id,
        session_id=caller.session_id,
        factor_id=FactorId(factor_id),
        kind=FactorKind.PASSKEY,
    )
