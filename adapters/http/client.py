"""From where a request comes."""

from fastapi import Request

from domain.sessions.session import Device


def network_address(request: Request) -> str | None:
    """The address that the connection comes from."""
    return request.client.host if request.client else None


def device_of(request: Request) -> Device:
    """What the request tells about the device."""
    # What strangers put into a header is not text yet: bytes outside ASCII, and NUL, have no business in it.
    agent = request.headers.get("user-agent", "")
    printable = "".join(char for char in agent if char.isascii() and char.isprintable())
    return Device(user_agent=printable or None, network_address=network_address(request))
