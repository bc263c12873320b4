"""`/v1/admin/sign-in-attempts`."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.convertors import StringConvertor, register_url_convertor

from adapters.http.authentication import AdminUser
from adapters.http.documentation import responses
from adapters.http.injection import injected
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.sign_in_attempts import SignInAttemptResponse
from application.admin.explain_sign_in import ExplainSignIn
from domain.sessions.sign_in_attempt import SignInAttemptNotFound

# Room for a blank or a dash between any two characters, and more at the ends.
_LONGEST = 40


class _Heard(StringConvertor):
    """What may be a reference, however it is written down."""

    regex = f"[0-9A-Za-z -]{{12,{_LONGEST}}}"


register_url_convertor("heard", _Heard())

router = APIRouter(prefix="/v1/admin/sign-in-attempts", tags=["operators"], route_class=Route)


@router.get(
    "/{reference:heard}",
    responses=responses("get_sign_in_attempt", SignInAttemptNotFound, Refusal.ROUTE_NOT_FOUND),
)
async def get_sign_in_attempt(
    reference: Annotated[
        str,
        Path(
            max_length=_LONGEST,
            pattern=f"^{_Heard.regex}$",
            description="From the refusal. In either case, with dashes, blanks or nothing between; O counts as 0, "
            "and I and L as 1.",
            examples=["7F3K-Q2MX-9RTB"],
        ),
    ],
    caller: AdminUser,
    explain: Annotated[ExplainSignIn, injected(ExplainSignIn)],
) -> SignInAttemptResponse:
    """Why was this sign-in refused? That it was looked at is written down."""
    attempt = await explain.execute(reference=reference, by=caller.user_id)
    return SignInAttemptResponse.of(attempt)
