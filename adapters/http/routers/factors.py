"""`/v1/users/me/factors` and `/v1/users/me/recovery-codes`."""

from typing import Annotated

from fastapi import APIRouter, Response

from adapters.http.authentication import CurrentUser, RecentUser
from adapters.http.documentation import WITH_BODY, WITH_OWN_CHANGE, responses
from adapters.http.injection import injected
from adapters.http.qr_codes import qr_code
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.factors import (
    FactorList,
    FactorReference,
    RecoveryCodesResponse,
    TotpActivation,
    TotpCreate,
    TotpOffer,
)
from application.mfa.activate_totp import ActivateTotp
from application.mfa.enrol_totp import EnrolTotp
from application.mfa.list_factors import ListFactors
from application.mfa.make_recovery_codes import MakeRecoveryCodes
from application.mfa.remove_factor import RemoveFactor
from application.ports.password_hasher import HashingBusy
from domain.ids import FactorId
from domain.mfa.factor import (
    EmailNotVerified,
    FactorAlreadyActive,
    FactorNotFound,
    InvalidFactor,
    NoFactor,
    TooManyFactors,
)
from domain.mfa.passkey import LastWayIn
from domain.mfa.requirement import FactorIsRequired
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/users/me", tags=["second factors"], route_class=Route)


@router.get("/factors", responses=responses("list_factors", UserNotFound))
async def list_factors(caller: CurrentUser, factors: Annotated[ListFactors, injected(ListFactors)]) -> FactorList:
    """Which second factors do I have?"""
    found = await factors.execute(user_id=caller.user_id)
    return FactorList.of(found)


@router.post(
    "/factors/totp",
    status_code=201,
    responses=responses("enrol_totp", EmailNotVerified, TooManyFactors, *WITH_OWN_CHANGE, *WITH_BODY),
)
async def enrol_totp(
    totp_in: TotpCreate, caller: RecentUser, enrol: Annotated[EnrolTotp, injected(EnrolTotp)]
) -> TotpOffer:
    """Have a secret for an authenticator app. It is no factor before it is activated with a code."""
    offered = await enrol.execute(user_id=caller.user_id, session_id=caller.session_id, name=totp_in.name)
    return TotpOffer.of(offered, qr_svg=qr_code(offered.uri))


@router.post(
    "/factors/totp/{factor_id:uuid}/activation",
    responses=responses(
        "activate_totp",
        InvalidFactor,
        FactorNotFound,
        FactorAlreadyActive,
        HashingBusy,
        Refusal.ROUTE_NOT_FOUND,
        *WITH_OWN_CHANGE,
        *WITH_BODY,
    ),
)
async def activate_totp(
    factor_id: FactorReference,
    activation_in: TotpActivation,
    caller: RecentUser,
    activate: Annotated[ActivateTotp, injected(ActivateTotp)],
) -> RecoveryCodesResponse:
    """Make the app a second factor, with the code that it shows. Every other session of mine ends."""
    codes = await activate.execute(
        user_id=caller.user_id,
        session_id=caller.session_id,
        factor_id=FactorId(factor_id),
        code=activation_in.totp_code.get_secret_value(),
    )
    return RecoveryCodesResponse.of(codes)


@router.delete(
    "/factors/{factor_id:uuid}",
    status_code=204,
    response_class=Response,
    responses=responses(
        "remove_factor", FactorNotFound, FactorIsRequired, LastWayIn, Refusal.ROUTE_NOT_FOUND, *WITH_OWN_CHANGE
    ),
)
async def remove_factor(
    factor_id: FactorReference, caller: RecentUser, remove: Annotated[RemoveFactor, injected(RemoveFactor)]
) -> None:
    """Do without a second factor. Every other session of mine ends; with the last factor the recovery codes go."""
    await remove.execute(user_id=caller.user_id, session_id=caller.session_id, factor_id=FactorId(factor_id))


@router.post(
    "/recovery-codes",
    status_code=201,
    responses=responses("make_recovery_codes", NoFactor, HashingBusy, *WITH_OWN_CHANGE),
)
async def make_recovery_codes(
    caller: RecentUser, make: Annotated[MakeRecoveryCodes, injected(MakeRecoveryCodes)]
) -> RecoveryCodesResponse:
    """Have ten new recovery codes. The old ones are good for nothing, and every other session of mine ends."""
    codes = await make.execute(user_id=caller.user_id, session_id=caller.session_id)
    return RecoveryCodesResponse.of(codes)
