"""`GET /v1/admin/users`: finding users among many."""

from typing import Annotated

from fastapi import APIRouter, Query

from adapters.http.authentication import AdminUser
from adapters.http.documentation import WITH_PAGES, responses
from adapters.http.headers import LINK
from adapters.http.injection import injected
from adapters.http.pagination import AskedPage
from adapters.http.routing import Route
from adapters.http.schemas.operated_users import OperatedUserResponse, UserList, UserQuery
from application.admin.list_users import ListUsers
from application.ports.user_search import UserPosition

router = APIRouter(prefix="/v1/admin/users", tags=["operators"], route_class=Route)


@router.get("", responses=responses("list_users", *WITH_PAGES) | {200: {"headers": LINK}})
async def list_users(
    query: Annotated[UserQuery, Query()],
    _caller: AdminUser,
    paging: AskedPage,
    users: Annotated[ListUsers, injected(ListUsers)],
) -> UserList:
    """Users, page by page.

    A page costs the same wherever it is and whatever the filters keep out: where few users match it may be short, or
    even empty, and the next one goes on. Go on until `next_cursor` is null.
    """
    after = paging.after(lambda text: UserPosition.read(text, query.order))
    page = await users.execute(limit=paging.limit, only=query.only, order=query.order, after=after)
    items = [OperatedUserResponse.of(user) for user in page.items]
    return UserList(items=items, next_cursor=paging.next_cursor(page.after))
