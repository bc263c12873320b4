"""`/v1/admin/messages`: outgoing mail."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from adapters.http.authentication import AdminUser, RecentAdmin
from adapters.http.documentation import WITH_PAGES, responses
from adapters.http.headers import LINK
from adapters.http.idempotency import OnceForRecentAdmin
from adapters.http.injection import injected
from adapters.http.next_steps import RETRY_NEWEST
from adapters.http.pagination import AskedPage
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.messages import MessageList, MessageResponse
from application.messages.list_messages import ListMessages
from application.messages.retry_message import RetryMessage
from domain.errors import ConcurrentUpdate
from domain.ids import MessageId
from domain.messages.message import MessageExpired, MessageNotDead, MessageNotFound, MessageState

router = APIRouter(prefix="/v1/admin/messages", tags=["operators"], route_class=Route)


@router.get(
    "",
    responses=responses("list_messages", *WITH_PAGES) | {200: {"headers": LINK, "links": RETRY_NEWEST}},
)
async def list_messages(
    _caller: AdminUser,
    paging: AskedPage,
    messages: Annotated[ListMessages, injected(ListMessages)],
    state: Annotated[MessageState | None, Query(description="Only those in this state.")] = None,
) -> MessageList:
    """Outgoing mail and how far it has come, newest first. What it says is not shown."""
    before = paging.after(lambda text: MessageId(UUID(text)))
    page = await messages.execute(state=state, limit=paging.limit, before=before)
    items = [MessageResponse.of(message) for message in page.items]
    return MessageList(items=items, next_cursor=paging.next_cursor(page.after))


@router.post(
    "/{message_id:uuid}/retries",
    status_code=202,
    response_class=Response,
    responses=responses(
        "retry_message",
        MessageNotFound,
        MessageNotDead,
        MessageExpired,
        ConcurrentUpdate,
        Refusal.ROUTE_NOT_FOUND,
    ),
)
async def retry_message(
    message_id: UUID,
    caller: RecentAdmin,
    once: OnceForRecentAdmin,
    retry: Annotated[RetryMessage, injected(RetryMessage)],
) -> Response:
    """Have a dead message tried again, when what stood in its way is gone."""
    await retry.execute(message_id=MessageId(message_id), by=caller.user_id, once=once)
    return Response(status_code=202)
