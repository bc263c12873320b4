"""`/v1/admin/imports`: users moving in."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from adapters.http.authentication import AdminUser, RecentAdmin
from adapters.http.conditional import IfNoneMatch, etag, unchanged
from adapters.http.documentation import WITH_PAGES, responses
from adapters.http.headers import ETAG, LINK, LOCATION, NOT_MODIFIED
from adapters.http.injection import injected
from adapters.http.next_steps import USE_IMPORT, if_changed
from adapters.http.pagination import AskedPage
from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.routing import Route
from adapters.http.schemas.imports import ImportList, ImportResponse, ImportRowList, ImportRowResponse
from application.transfer.list_import_rows import ListImportRows
from application.transfer.list_imports import ListImports
from application.transfer.show_import import ShowImport
from application.transfer.upload_import import UploadImport
from domain.ids import UserImportId
from domain.transfer.user_import import ImportMode, ImportNotFound, RowFormat, Verdict

router = APIRouter(prefix="/v1/admin/imports", tags=["operators"], route_class=Route)

_MEDIA_TYPE = re.compile(
    r"(?P<type>application/x-ndjson|text/csv)[ \t]*(?:;[ \t]*charset=(?:utf-8|\"utf-8\")[ \t]*)?", re.IGNORECASE
)
_LONGEST_MEDIA_TYPE = 256
_FORMATS = {"application/x-ndjson": RowFormat.NDJSON, "text/csv": RowFormat.CSV}
_ROWS_EXAMPLES = {
    "application/x-ndjson": '{"email": "ada@example.com", "email_verified": true, "source_id": "1"}\n',
    "text/csv": "email,email_verified,source_id\nada@example.com,true,1\n",
}
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A user a line, as docs/moving-in.md has them; at most 64 MB.",
        "content": {
            media_type: {"schema": {"type": "string"}, "example": example}
            for media_type, example in _ROWS_EXAMPLES.items()
        },
    }
}


@router.post(
    "",
    status_code=202,
    responses=responses("import_users", Refusal.BODY_TOO_LARGE, Refusal.REQUEST_TIMEOUT, Refusal.UNSUPPORTED_FILE_TYPE)
    | {202: {"headers": LOCATION, "links": USE_IMPORT}},
    openapi_extra=_FILE,
)
async def import_users(
    request: Request,
    caller: RecentAdmin,
    response: Response,
    upload: Annotated[UploadImport, injected(UploadImport)],
    mode: Annotated[
        Literal["dry_run", "apply"], Query(description="`dry_run` says what would become of each row, and no more.")
    ],
) -> ImportResponse:
    """Take in users of another system, with their passwords. Who is here already stays as they are."""
    made = await upload.execute(
        file=_content(request), mode=ImportMode(mode), format=_format_of(request), by=caller.user_id
    )
    response.headers["Location"] = f"{router.prefix}/{made.id}"
    return ImportResponse.of(made)


@router.get("", responses=responses("list_imports", *WITH_PAGES) | {200: {"headers": LINK}})
async def list_imports(
    _caller: AdminUser, paging: AskedPage, imports: Annotated[ListImports, injected(ListImports)]
) -> ImportList:
    """Every import of the last weeks, newest first."""
    before = paging.after(lambda text: UserImportId(UUID(text)))
    page = await imports.execute(limit=paging.limit, before=before)
    items = [ImportResponse.of(each) for each in page.items]
    return ImportList(items=items, next_cursor=paging.next_cursor(page.after))


@router.get(
    "/{import_id:uuid}",
    responses=responses("get_import", ImportNotFound, Refusal.ROUTE_NOT_FOUND)
    | {200: {"headers": ETAG, "links": if_changed("get_import")}, 304: NOT_MODIFIED},
    response_model=ImportResponse,
)
async def get_import(
    import_id: UUID,
    _caller: AdminUser,
    response: Response,
    imports: Annotated[ShowImport, injected(ShowImport)],
    if_none_match: IfNoneMatch = None,
) -> ImportResponse | Response:
    """How far is it?"""
    found = await imports.execute(import_id=UserImportId(import_id))
    response.headers["ETag"] = etag(found.id, found.version)
    return unchanged(if_none_match, response.headers) or ImportResponse.of(found)


@router.get(
    "/{import_id:uuid}/rows",
    responses=responses("list_import_rows", ImportNotFound, Refusal.ROUTE_NOT_FOUND, *WITH_PAGES)
    | {200: {"headers": LINK}},
)
async def list_import_rows(
    import_id: UUID,
    _caller: AdminUser,
    paging: AskedPage,
    rows: Annotated[ListImportRows, injected(ListImportRows)],
    verdict: Annotated[
        Literal["accepted", "exists", "invalid"] | None, Query(description="Only those with this verdict.")
    ] = None,
) -> ImportRowList:
    """What became of each row, in the order of the file."""
    page = await rows.execute(
        import_id=UserImportId(import_id),
        limit=paging.limit,
        after=paging.after(int) or 0,
        verdict=Verdict(verdict) if verdict is not None else None,
    )
    items = [ImportRowResponse.of(row) for row in page.items]
    return ImportRowList(items=items, next_cursor=paging.next_cursor(page.after))


def _format_of(request: Request) -> RowFormat:
    given = request.headers.get("content-type", "")
    parts = _MEDIA_TYPE.fullmatch(given) if len(given) <= _LONGEST_MEDIA_TYPE else None
    if parts is None or request.headers.get("content-encoding", "identity") != "identity":
        raise RefusedByHttp(Refusal.UNSUPPORTED_FILE_TYPE)
    return _FORMATS[parts["type"].lower()]


async def _content(request: Request) -> AsyncIterator[bytes]:
    try:
        async for block in request.stream():
            yield block
    except ClientDisconnect:
        # Nobody hears it; but it is no accident of ours.
        raise RefusedByHttp(Refusal.BAD_REQUEST) from None
