"""Moving to another address: `/v1/users/me/email-changes` and `/v1/email-changes`."""

from typing import Annotated

from fastapi import APIRouter, Response

from adapters.http.authentication import RecentUser
from adapters.http.conditional import etag
from adapters.http.documentation import WITH_BODY, WITH_OWN_CHANGE, responses
from adapters.http.headers import ETAG
from adapters.http.idempotency import OnceForRecentUser
from adapters.http.injection import injected
from adapters.http.routing import Route
from adapters.http.schemas.recovery import EmailChangeRequest, EmailChangeToken
from adapters.http.schemas.users import UserResponse
from application.users.confirm_email_change import ConfirmEmailChange
from application.users.request_email_change import RequestEmailChange
from application.users.revert_email_change import RevertEmailChange
from domain.errors import ConcurrentUpdate
from domain.recovery.one_time_token import InvalidToken
from domain.users.user import UserNotFound

router = APIRouter(prefix="/v1", tags=["recovery"], route_class=Route)


@router.post(
    "/users/me/email-changes",
    status_code=202,
    response_class=Response,
    responses=responses("request_email_change", *WITH_OWN_CHANGE, *WITH_BODY),
)
async def request_email_change(
    change_in: EmailChangeRequest,
    caller: RecentUser,
    once: OnceForRecentUser,
    change: Annotated[RequestEmailChange, injected(RequestEmailChange)],
) -> Response:
    """Ask to get mail elsewhere. It takes effect once the new mailbox is proven; the old one is told.

    The answer is the same whether or not another user has the address.
    """
    await change.execute(user_id=caller.user_id, session_id=caller.session_id, new_email=change_in.new_email, once=once)
    return Response(status_code=202)


@router.post(
    "/email-changes/confirm",
    responses=responses("confirm_email_change", InvalidToken, ConcurrentUpdate, UserNotFound, *WITH_BODY)
    | {200: {"headers": ETAG}},
)
async def confirm_email_change(
    token_in: EmailChangeToken,
    response: Response,
    confirm: Annotated[ConfirmEmailChange, injected(ConfirmEmailChange)],
) -> UserResponse:
    """Prove the new mailbox, with the token of the link sent there. Other sessions than the asking one end."""
    user = await confirm.execute(token=token_in.token.get_secret_value())
    response.headers["ETag"] = etag(user.id, user.version)
    return UserResponse.of(user)


@router.post(
    "/email-changes/revert",
    status_code=204,
    response_class=Response,
    responses=responses("revert_email_change", InvalidToken, ConcurrentUpdate, UserNotFound, *WITH_BODY),
)
async def revert_email_change(
    token_in: EmailChangeToken, revert: Annotated[RevertEmailChange, injected(RevertEmailChange)]
) -> None:
    """Stop or undo a move, with the token of the link sent to the old mailbox.

    Every session ends, and the password is discarded: a link for choosing another one is mailed to the old address.
    """
    await revert.execute(token=token_in.token.get_secret_value())
