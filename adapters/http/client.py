"""From where a request comes."""

from ipaddress import ip_address

from fastapi import Request
from starlette.datastructures import Headers
from starlette.types import Scope

from domain.sessions.session import Device

_FORWARDED = "x-forwarded-for"


def address_in(scope: Scope, trusted_proxies: int) -> str | None:
    """The address that the request comes from, as far as our own proxies tell (LG-05).

    Each of them adds the address that it was called from to the end of `X-Forwarded-For`; what stands before those is
    the caller's own invention. Where a proxy says nothing of use, the proxy is all that is known: then many callers
    share its limits, and nobody gets past them (incident 19).
    """
    peer = scope["client"][0] if scope.get("client") else None
    if not trusted_proxies:
        return peer
    told = ",".join(Headers(scope=scope).getlist(_FORWARDED)).split(",")
    if len(told) < trusted_proxies:
        return peer
    return _address(told[-trusted_proxies].strip()) or peer


def network_address(request: Request) -> str | None:
    """The address that the request comes from."""
    found: str | None = request.state.network_address
    return found


def device_of(request: Request) -> Device:
    """What the request tells about the device."""
    # What strangers put into a header is not text yet: bytes outside ASCII, and NUL, have no business in it.
    agent = request.headers.get("user-agent", "")
    printable = "".join(char for char in agent if char.isascii() and char.isprintable())
    return Device(user_agent=printable or None, network_address=network_address(request))


def _address(text: str) -> str | None:
    """The address in an element of `X-Forwarded-For`; some proxies add the port."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ip_address(host))
    except ValueError:
        return None
