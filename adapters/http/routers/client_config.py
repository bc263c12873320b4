"""`/v1/config`."""

import hashlib
from typing import Annotated

from fastapi import APIRouter, Response

from adapters.http.conditional import IfNoneMatch, etag, unchanged
from adapters.http.documentation import responses
from adapters.http.headers import ETAG, NOT_MODIFIED
from adapters.http.injection import injected
from adapters.http.next_steps import if_changed
from adapters.http.routing import Route
from adapters.http.schemas.config import ConfigResponse
from application.config.show_config import ShowConfig
from domain.errors import InvalidFields

router = APIRouter(prefix="/v1", tags=["config"], route_class=Route)


@router.get(
    "/config",
    responses=responses("get_config", InvalidFields)
    | {200: {"headers": ETAG, "links": if_changed("get_config")}, 304: NOT_MODIFIED},
    response_model=ConfigResponse,
)
async def get_config(
    response: Response, show: Annotated[ShowConfig, injected(ShowConfig)], if_none_match: IfNoneMatch = None
) -> ConfigResponse | Response:
    """What forms need to know: who may register, which passwords are taken, and which languages mail is written in."""
    config = ConfigResponse.of(await show.execute())
    response.headers["ETag"] = etag(hashlib.sha256(config.model_dump_json().encode()).hexdigest()[:16], 1)
    return unchanged(if_none_match, response.headers) or config
