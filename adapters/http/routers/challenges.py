"""`/v1/sessions/challenges`: the second step of signing in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request, Response

from adapters.http.client import network_address
from adapters.http.documentation import WITH_BODY, responses
from adapters.http.headers import LOCATION
from adapters.http.injection import injected
from adapters.http.new_session import asks_for_cookie, handed_out
from adapters.http.next_steps import USE_SESSION
from adapters.http.refusals import Refusal
from adapters.http.routing import Route
from adapters.http.schemas.factors import ChallengeAnswer
from adapters.http.schemas.sessions import TokenResponse
from application.mfa.answer_challenge import AnswerChallenge
from application.ports.password_hasher import HashingBusy
from domain.ids import ChallengeId
from domain.mfa.factor import InvalidFactor

router = APIRouter(prefix="/v1/sessions/challenges", tags=["sessions"], route_class=Route)


@router.post(
    "/{challenge_id:uuid}",
    status_code=201,
    responses=responses(
        "answer_challenge", InvalidFactor, HashingBusy, Refusal.CROSS_SITE_REQUEST, Refusal.ROUTE_NOT_FOUND, *WITH_BODY
    )
    | {201: {"headers": LOCATION, "links": USE_SESSION}},
)
async def answer_challenge(
    challenge_id: UUID,
    answer_in: ChallengeAnswer,
    request: Request,
    response: Response,
    answer: Annotated[AnswerChallenge, injected(AnswerChallenge)],
) -> TokenResponse:
    """Finish signing in, with a second factor. Every refusal looks the same; a wrong code may be followed by another.

    What answers with `factor_required` is good for this once, for ten minutes, and for nothing else.
    """
    in_cookie = asks_for_cookie(answer_in.transport, request)
    issued = await answer.execute(
        challenge_id=ChallengeId(challenge_id),
        proof=answer_in.proof(),
        network_address=network_address(request),
        strangers_wait=getattr(request.state, "strangers_wait", None),
        request_id=request.state.request_id,
    )
    return handed_out(issued, response, in_cookie=in_cookie)
