"""`/v1/tokens`."""

from typing import Annotated

from fastapi import APIRouter, Response

from adapters.http.authentication import CurrentUser
from adapters.http.documentation import WITH_BODY, WITH_USER, responses
from adapters.http.headers import NO_STORE
from adapters.http.injection import injected
from adapters.http.schemas.tokens import IntrospectionResponse, TokenIntrospection
from adapters.http.strict_json import StrictRoute
from application.sessions.introspect import Introspect
from domain.users.user import AdminRequired

router = APIRouter(prefix="/v1/tokens", tags=["sessions"], route_class=StrictRoute)


@router.post(
    "/introspect",
    responses=responses("introspect_token", AdminRequired, *WITH_USER, *WITH_BODY),
    response_model_exclude_none=True,
)
async def introspect_token(
    token_in: TokenIntrospection,
    caller: CurrentUser,
    response: Response,
    introspect: Annotated[Introspect, injected(Introspect)],
) -> IntrospectionResponse:
    """Is this access token live now? For services that cannot wait for it to expire."""
    found = await introspect.execute(caller=caller, token=token_in.token.get_secret_value())
    response.headers.update(NO_STORE)
    return IntrospectionResponse.of(found)
