"""Counting requests at the door, and telling callers what they have left."""

import math
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

import structlog
from fastapi import Request, Response

from adapters.http.client import network_address
from adapters.http.injection import resolved
from adapters.http.planned_route import Handler
from application.ports.rate_limiter import ThrottlesUnavailable
from application.throttling.throttle_network import ThrottleNetwork
from application.throttling.throttle_policy import Rate
from application.throttling.visit import Visit
from domain.errors import Unavailable
from domain.throttling.throttle import Limit, Throttled

_log = structlog.get_logger("hallporter.http")


async def throttled(
    request: Request,
    rate: Rate,
    handle: Handler,
    *,
    known_devices_pass: bool = False,
) -> Response:
    """The answer of `handle`, unless this network has asked too much already.

    With `known_devices_pass`, `handle` is asked even so, and finds in `state.strangers_wait` the refusal of those whom
    it does not know.

    Raises: Throttled, ThrottlesUnavailable.
    """
    throttle, visit = _visit(request, rate)
    try:
        await throttle.count(visit)
    except Throttled as refusal:
        if not known_devices_pass:
            raise
        request.state.strangers_wait = refusal
        return await handle(request)
    finally:
        _tell(request, throttle, visit)
    try:
        response = await handle(request)
    except Unavailable:
        # Ours, and nobody's failure.
        await _forgive(throttle, visit)
        raise
    if response.status_code < HTTPStatus.BAD_REQUEST:
        await _forgive(throttle, visit)
    return response


async def counted_by_endpoint(request: Request, rate: Rate, handle: Handler) -> Response:
    """The answer of `handle`, whose use case counts the request with what is guessed in it: `state.visit`.

    What did not get as far as that, and is no success, is counted afterwards.

    Raises: Throttled, ThrottlesUnavailable.
    """
    throttle, visit = _visit(request, rate)
    request.state.visit = visit
    try:
        response = await handle(request)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            await throttle.count(visit)
    except Unavailable:
        await _forgive(throttle, visit)
        raise
    except Exception:
        if visit.refusal is None:
            await throttle.count(visit)
        raise
    else:
        if response.status_code < HTTPStatus.BAD_REQUEST:
            await _forgive(throttle, visit)
        return response
    finally:
        _tell(request, throttle, visit)


def _visit(request: Request, rate: Rate) -> tuple[ThrottleNetwork, Visit]:
    throttle = resolved(request, ThrottleNetwork)
    return throttle, throttle.visit(rate=rate, network_address=network_address(request))


async def _forgive(throttle: ThrottleNetwork, visit: Visit) -> None:
    if not visit.rate.forgives or not visit.used:
        return
    try:
        await throttle.forgive(visit)
    except ThrottlesUnavailable:
        _log.warning("throttles.not_forgiven", rate=visit.rate)


def _tell(request: Request, throttle: ThrottleNetwork, visit: Visit) -> None:
    """On every answer, so that also refusals tell; `RequestContext` puts it there."""
    if visit.refusal is not None:
        limit = throttle.limit_of(visit.rate)
        request.state.headers = _headers(visit.rate, limit, 0, visit.refusal.retry_after)
    elif visit.allowance is not None:
        allowance = visit.allowance
        request.state.headers = _headers(visit.rate, allowance.limit, allowance.remaining, allowance.full_in)


def _headers(rate: Rate, limit: Limit, remaining: int, full_in: timedelta) -> Mapping[str, str]:
    """As draft-ietf-httpapi-ratelimit-headers-10 has them."""
    return {
        "RateLimit-Policy": f'"{rate}";q={limit.count};w={math.ceil(limit.per.total_seconds())}',
        "RateLimit": f'"{rate}";r={remaining};t={math.ceil(full_in.total_seconds())}',
    }
