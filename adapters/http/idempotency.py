"""`Idempotency-Key`: a request that may be sent again, and is done once (AP-04).

A dependency of the endpoint claims the key, when everything else has let the caller through; the endpoint hands the
claim to its use case, which notes the act in the transaction that does it; and the route keeps the answer. Whoever dies
in between leaves the key to the next who comes with it.
"""

import base64
import json
from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import Depends, Header, Request, Response

from adapters.http.authentication import RecentAdmin, RecentUser
from adapters.http.injection import injected, resolved
from adapters.http.planned_route import Handler
from application.idempotency.claim_request import ClaimRequest, KeptAnswer
from application.idempotency.finish_request import FinishRequest
from domain.errors import DomainError, InvalidFields, Violation
from domain.idempotency.idempotent_request import MAX_KEY_LENGTH, Once

_log = structlog.get_logger("hallporter.http")

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
# What belongs to the answer itself; the rest is said anew each time.
_KEPT_HEADERS = ("content-type", "location", "etag")
_ANYONE = "anyone"

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        description="A random key of your own, such as a UUID: the same request within 24 hours gets the same answer.",
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        pattern=r"^[\x21-\x7e]+$",
    ),
]


class Replay(Exception):
    """The request was answered before."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


async def claim_for_anyone(
    request: Request, claim: Annotated[ClaimRequest, injected(ClaimRequest)], key: IdempotencyKey = None
) -> Once | None:
    """The right to do this request; None where it has no key.

    Raises: Replay, InvalidFields, IdempotencyKeyReused, IdempotencyInFlight.
    """
    return await _claimed(request, claim, key, _ANYONE)


async def claim_for_recent_user(
    request: Request,
    caller: RecentUser,
    claim: Annotated[ClaimRequest, injected(ClaimRequest)],
    key: IdempotencyKey = None,
) -> Once | None:
    """As `claim_for_anyone`; the keys of one user are not those of another."""
    return await _claimed(request, claim, key, str(caller.user_id))


async def claim_for_recent_admin(
    request: Request,
    caller: RecentAdmin,
    claim: Annotated[ClaimRequest, injected(ClaimRequest)],
    key: IdempotencyKey = None,
) -> Once | None:
    """The same for operators."""
    return await _claimed(request, claim, key, str(caller.user_id))


OnceForRecentAdmin = Annotated[Once | None, Depends(claim_for_recent_admin)]
OnceForAnyone = Annotated[Once | None, Depends(claim_for_anyone)]
OnceForRecentUser = Annotated[Once | None, Depends(claim_for_recent_user)]


async def _claimed(request: Request, claim: ClaimRequest, key: str | None, principal: str) -> Once | None:
    if key is None:
        return None
    if len(request.headers.getlist(KEY_HEADER)) > 1:
        raise InvalidFields([Violation("idempotency_key", "repeated", "Send one key.")])
    again: Once | None = getattr(request.state, "once", None)
    if again is not None:
        # The same request, tried once more.
        return again
    # With the path: what is done to one resource is not done to another.
    route = f"{request.scope['route'].name} {request.scope['path']}"
    claimed = await claim.execute(principal=principal, route=route, key=key, body=await request.body())
    if isinstance(claimed, KeptAnswer):
        raise Replay(_response(claimed))
    request.state.once = claimed
    return claimed


async def answered_once(request: Request, handle: Handler) -> Response:
    """The answer of `handle`, kept if it is a success and the request has a key; or the one that was kept before."""
    try:
        response = await handle(request)
    except Replay as replay:
        return replay.response
    except BaseException:
        await _finish(request, None)
        raise
    refused = response.status_code >= HTTPStatus.BAD_REQUEST
    await _finish(request, None if refused else _kept(response))
    return response


async def _finish(request: Request, answer: KeptAnswer | None) -> None:
    once: Once | None = getattr(request.state, "once", None)
    if once is None:
        return
    try:
        await resolved(request, FinishRequest).execute(once=once, answer=answer)
    except DomainError as error:
        # The act counts, and so does its answer; whoever asks again waits until the claim is over.
        _log.warning("idempotency.not_finished", cause=error.code)


def _kept(response: Response) -> KeptAnswer:
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    body = base64.b64encode(bytes(response.body)).decode()
    return KeptAnswer(json.dumps({"status": response.status_code, "headers": headers, "body": body}))


def _response(kept: KeptAnswer) -> Response:
    answer = json.loads(kept.text)
    headers = answer["headers"] | {REPLAYED_HEADER: "true"}
    return Response(base64.b64decode(answer["body"]), answer["status"], headers=headers)
