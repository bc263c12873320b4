"""`/v1/admin/exports`: users moving out."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from adapters.http.authentication import RecentAdmin
from adapters.http.documentation import responses
from adapters.http.injection import injected
from adapters.http.routing import Route
from application.transfer.export_users import ExportUsers

router = APIRouter(prefix="/v1/admin/exports", tags=["operators"], route_class=Route)

_MEDIA_TYPE = "application/x-ndjson"
_ROWS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A user a line, as `POST /v1/admin/imports` reads them.",
        "content": {
            _MEDIA_TYPE: {"schema": {"type": "string"}, "example": '{"id": "…", "email": "ada@example.com"}\n'}
        },
    }
}


@router.get(
    "/users",
    responses=responses("get_users_export") | _ROWS,
    response_class=StreamingResponse,
)
async def get_users_export(
    caller: RecentAdmin,
    export: Annotated[ExportUsers, injected(ExportUsers)],
    *,
    with_hashes: Annotated[bool, Query(description="Passwords too, as hashes.")] = False,
) -> StreamingResponse:
    """All users, by id."""
    rows = await export.execute(with_hashes=with_hashes, by=caller.user_id)
    return StreamingResponse(rows, media_type=_MEDIA_TYPE)
