"""`/v1/email-verifications`."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from adapters.http.authentication import OptionalUser
from adapters.http.client import network_address
from adapters.http.conditional import etag
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.headers import ETAG
from adapters.http.idempotency import OnceForAnyone
from adapters.http.injection import injected
from adapters.http.routing import Route
from adapters.http.schemas.recovery import EmailVerificationConfirmation, EmailVerificationRequest
from adapters.http.schemas.users import UserResponse
from application.ports.password_hasher import HashingBusy
from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.verify_email import VerifyEmail
from domain.errors import ConcurrentUpdate
from domain.recovery.one_time_token import InvalidToken
from domain.users.password import WrongPassword
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/email-verifications", tags=["recovery"], route_class=Route)


@router.post(
    "", status_code=202, response_class=Response, responses=responses("request_email_verification", *WITH_BODY)
)
async def request_email_verification(
    request_in: EmailVerificationRequest,
    request: Request,
    once: OnceForAnyone,
    verification: Annotated[RequestEmailVerification, injected(RequestEmailVerification)],
) -> Response:
    """Have link and code mailed again. The answer is the same for every address."""
    await verification.execute(email=request_in.email, network_address=network_address(request), once=once)
    return Response(status_code=202)


@router.post(
    "/confirm",
    responses=responses(
        "verify_email",
        InvalidToken,
        WrongPassword,
        ConcurrentUpdate,
        UserNotFound,
        HashingBusy,
        *WITH_BODY,
    )
    | {200: {"headers": ETAG}},
    # With or without: FastAPI knows only the former.
    openapi_extra={"security": [{}]},
)
async def verify_email(
    proof_in: EmailVerificationConfirmation,
    caller: OptionalUser,
    request: Request,
    response: Response,
    verify: Annotated[VerifyEmail, injected(VerifyEmail)],
) -> UserResponse:
    """Prove the address, by what was mailed to it.

    A password that the proof does not come with, by a session or by itself, is discarded with every session: somebody
    else may have registered the address. A link for choosing another one is mailed then.
    """
    user = await verify.execute(
        proof=proof_in.proof(),
        caller=caller.user_id if caller is not None else None,
        password=proof_in.password.get_secret_value() if proof_in.password is not None else None,
        network_address=network_address(request),
    )
    response.headers["ETag"] = etag(user.id, user.version)
    return UserResponse.of(user)
