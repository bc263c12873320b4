"""Lists, as callers go through them: `?limit=&cursor=`, `next_cursor`, and `Link`."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response

from adapters.http.authentication import CurrentUser
from adapters.http.injection import injected
from application.paging.cursors import MAX_CURSOR_LENGTH, Cursors
from application.paging.page import DEFAULT_LIMIT, MAX_LIMIT
from domain.ids import UserId

_Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many at most.")]
_Cursor = Annotated[
    str | None, Query(max_length=MAX_CURSOR_LENGTH, description="`next_cursor` of the page before; opaque.")
]


class Paging:
    """Which page of a list is asked for, and how the next one is told."""

    def __init__(
        self, request: Request, response: Response, cursors: Cursors, caller: UserId, limit: int, cursor: str | None
    ) -> None:
        self._request = request
        self._response = response
        self._cursors = cursors
        self._caller = caller
        self._cursor = cursor
        self.limit = limit

    def after[Position](self, read: Callable[[str], Position]) -> Position | None:
        """The position that the page begins after, as `read` takes it from its text; None for the first.

        Raises: InvalidCursor.
        """
        return read(str(self._cursors.read(self._cursor, of=self._list()))) if self._cursor is not None else None

    def next_cursor(self, position: object) -> str | None:
        """The cursor of the next page, which begins after `position`; told in `Link` as well. None at the end."""
        if position is None:
            return None
        cursor = self._cursors.write(str(position), of=self._list())
        query = urlencode([*self._filters(), ("limit", self.limit), ("cursor", cursor)])
        url = f"{self._request.app.state.public_url}{self._request.scope['path']}?{query}"
        self._response.headers["Link"] = f'<{url}>; rel="next"'
        return cursor

    def _list(self) -> str:
        return f"{self._request.scope['path']} of {self._caller} by {urlencode(self._filters())}"

    def _filters(self) -> list[tuple[str, str]]:
        """What else is asked: a cursor is good for the same filters and order alone."""
        return sorted(item for item in self._request.query_params.multi_items() if item[0] not in {"limit", "cursor"})


async def get_paging(
    request: Request,
    response: Response,
    caller: CurrentUser,
    cursors: Annotated[Cursors, injected(Cursors)],
    limit: _Limit = DEFAULT_LIMIT,
    cursor: _Cursor = None,
) -> Paging:
    """The page that a request asks for."""
    return Paging(request, response, cursors, caller.user_id, limit, cursor)


AskedPage = Annotated[Paging, Depends(get_paging)]
