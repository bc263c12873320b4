"""Counting requests at the door, and telling callers what they have left."""

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus

import structlog
from fastapi import Request, Response

from adapters.http.client import network_address
from application.ports.rate_limiter import ThrottlesUnavailable
from application.throttling.throttle_network import ThrottleNetwork
from application.throttling.throttle_policy import RatePolicy
from domain.throttling.throttle import Limit, Throttled

_log = structlog.get_logger("hallporter.http")


async def throttled(request: Request, rate: RatePolicy, handle: Callable[[Request], Awaitable[Response]]) -> Response:
    """The answer of `handle`, unless this network has asked too much already.

    Raises: Throttled, ThrottlesUnavailable.
    """
    throttle: ThrottleNetwork = request.app.state.container.resolve(ThrottleNetwork)
    address = network_address(request)
    try:
        allowance = await throttle.execute(rate=rate, network_address=address)
    except Throttled as refusal:
        request.state.headers = _headers(rate, throttle.limit_of(rate), 0, refusal.retry_after)
        raise
    # On every answer, so that also refusals tell; `RequestContext` puts them there.
    request.state.headers = _headers(rate, allowance.limit, allowance.remaining, allowance.full_in)
    response = await handle(request)
    if rate.forgives and response.status_code < HTTPStatus.BAD_REQUEST:
        try:
            await throttle.forgive(rate=rate, network_address=address)
        except ThrottlesUnavailable:
            _log.warning("throttles.not_forgiven", rate=rate)
    return response


def _headers(rate: RatePolicy, limit: Limit, remaining: int, full_in: timedelta) -> Mapping[str, str]:
    """As draft-ietf-httpapi-ratelimit-headers-10 has them."""
    return {
        "RateLimit-Policy": f'"{rate}";q={limit.count};w={math.ceil(limit.per.total_seconds())}',
        "RateLimit": f'"{rate}";r={remaining};t={math.ceil(full_in.total_seconds())}',
    }
