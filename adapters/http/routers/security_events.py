"""`/v1/users/me/security-events`."""

from typing import Annotated

from fastapi import APIRouter

from adapters.http.authentication import CurrentUser
from adapters.http.documentation import WITH_PAGES, responses
from adapters.http.headers import LINK
from adapters.http.injection import injected
from adapters.http.pagination import AskedPage
from adapters.http.routing import Route
from adapters.http.schemas.security_events import SecurityEventList, SecurityEventResponse
from application.users.list_security_events import ListSecurityEvents

router = APIRouter(prefix="/v1/users/me/security-events", tags=["users"], route_class=Route)


@router.get("", responses=responses("list_security_events", *WITH_PAGES) | {200: {"headers": LINK}})
async def list_security_events(
    caller: CurrentUser, paging: AskedPage, events: Annotated[ListSecurityEvents, injected(ListSecurityEvents)]
) -> SecurityEventList:
    """What happened to me, newest first."""
    page = await events.execute(user_id=caller.user_id, limit=paging.limit, before=paging.after(int))
    items = [SecurityEventResponse.of(entry) for entry in page.items]
    return SecurityEventList(items=items, next_cursor=paging.next_cursor(page.after))
