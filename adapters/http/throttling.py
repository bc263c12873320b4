"""Counting requests at the door, and telling callers what they have left."""

import math
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from http import HTTPStatus

import structlog
from fastapi import Request, Response

from adapters.http.client import network_address
from adapters.http.injection import Container
from application.ports.rate_limiter import ThrottlesUnavailable
from application.throttling.throttle_network import Counted, ThrottleNetwork
from application.throttling.throttle_policy import RatePolicy
from domain.errors import Unavailable
from domain.throttling.throttle import Limit, Throttled

_log = structlog.get_logger("hallporter.http")


async def throttled(
    request: Request,
    rate: RatePolicy,
    handle: Callable[[Request], Awaitable[Response]],
    *,
    known_devices_pass: bool = False,
) -> Response:
    """The answer of `handle`, unless this network has asked too much already.

    With `known_devices_pass`, `handle` is asked even so, and finds in `state.strangers_wait` the refusal of those whom
    it does not know.

    Raises: Throttled, ThrottlesUnavailable.
    """
    container: Container = request.app.state.container
    throttle = container.resolve(ThrottleNetwork)
    try:
        counted = await throttle.execute(rate=rate, network_address=network_address(request))
    except Throttled as refusal:
        request.state.headers = _headers(rate, throttle.limit_of(rate), 0, refusal.retry_after)
        if not known_devices_pass:
            raise
        request.state.strangers_wait = refusal
        return await handle(request)
    # On every answer, so that also refusals tell; `RequestContext` puts them there.
    allowance = counted.allowance
    request.state.headers = _headers(rate, allowance.limit, allowance.remaining, allowance.full_in)
    try:
        response = await handle(request)
    except Unavailable:
        # Ours, and nobody's failure.
        await _forgive(throttle, counted)
        raise
    if response.status_code < HTTPStatus.BAD_REQUEST:
        await _forgive(throttle, counted)
    return response


async def _forgive(throttle: ThrottleNetwork, counted: Counted) -> None:
    if not counted.rate.forgives:
        return
    try:
        await throttle.forgive(counted)
    except ThrottlesUnavailable:
        _log.warning("throttles.not_forgiven", rate=counted.rate)


def _headers(rate: RatePolicy, limit: Limit, remaining: int, full_in: timedelta) -> Mapping[str, str]:
    """As draft-ietf-httpapi-ratelimit-headers-10 has them."""
    return {
        "RateLimit-Policy": f'"{rate}";q={limit.count};w={math.ceil(limit.per.total_seconds())}',
        "RateLimit": f'"{rate}";r={remaining};t={math.ceil(full_in.total_seconds())}',
    }
