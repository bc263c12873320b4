"""`/v1/tokens`."""

from typing import Annotated

from fastapi import APIRouter

from adapters.http.authentication import AdminUser
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.injection import injected
from adapters.http.routing import Route
from adapters.http.schemas.tokens import IntrospectionResponse, TokenIntrospection
from application.sessions.introspect import Introspect

router = APIRouter(prefix="/v1/tokens", tags=["sessions"], route_class=Route)


@router.post(
    "/introspect",
    responses=responses("introspect_token", *WITH_BODY),
    response_model_exclude_none=True,
)
async def introspect_token(
    token_in: TokenIntrospection,
    _caller: AdminUser,
    introspect: Annotated[Introspect, injected(Introspect)],
) -> IntrospectionResponse:
    """Is this access token live now? For services that cannot wait for it to expire."""
    found = await introspect.execute(token=token_in.token.get_secret_value())
    return IntrospectionResponse.of(found)
