"""`/v1/password-resets`."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from adapters.http.client import network_address
from adapters.http.cookies import is_same_origin, set_device_token
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.headers import DEVICE_TOKEN
from adapters.http.idempotency import OnceForAnyone
from adapters.http.injection import injected
from adapters.http.routing import Route
from adapters.http.schemas.recovery import PasswordResetConfirmation, PasswordResetRequest
from application.ports.password_hasher import HashingBusy
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from domain.errors import ConcurrentUpdate
from domain.recovery.one_time_token import InvalidToken
from domain.users.password_policy import PasswordRejected
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1/password-resets", tags=["recovery"], route_class=Route)


@router.post("", status_code=202, response_class=Response, responses=responses("request_password_reset", *WITH_BODY))
async def request_password_reset(
    request_in: PasswordResetRequest,
    request: Request,
    once: OnceForAnyone,
    reset: Annotated[RequestPasswordReset, injected(RequestPasswordReset)],
) -> Response:
    """Have a link mailed for choosing another password. The answer is the same for every address."""
    await reset.execute(email=request_in.email, network_address=network_address(request), once=once)
    return Response(status_code=202)


@router.post(
    "/confirm",
    status_code=204,
    response_class=Response,
    responses=responses(
        "reset_password",
        InvalidToken,
        PasswordRejected,
        ConcurrentUpdate,
        UserNotFound,
        HashingBusy,
        *WITH_BODY,
    )
    | {204: {"headers": DEVICE_TOKEN}},
)
async def reset_password(
    reset_in: PasswordResetConfirmation,
    request: Request,
    reset: Annotated[ResetPassword, injected(ResetPassword)],
) -> Response:
    """Choose another password, with the token of the link. Every session ends; sign in afterwards.

    `Device-Token` is for the sign-in that follows, as its `device_token`; pages of this service get it as a cookie.
    """
    device_token = await reset.execute(
        token=reset_in.token.get_secret_value(), new_password=reset_in.new_password.get_secret_value()
    )
    response = Response(status_code=204, headers={"Device-Token": device_token})
    if is_same_origin(request):
        set_device_token(response, device_token)
    return response
