"""Naming devices by the tables of the library `ua-parser`."""

import asyncio

from application.ports.device_namer import DeviceNamer

_MAX_LENGTH = 100


class UaDeviceNamer:
    """`DeviceNamer` in a thread: a user agent that was not seen before is held against hundreds of patterns."""

    async def name(self, user_agent: str) -> str | None:
        return await asyncio.to_thread(_name, user_agent)


def _name(user_agent: str) -> str | None:
    # Loaded by the first who signs in: the tables take longer to load than the rest of the service.
    from ua_parser import parse  # noqa: PLC0415

    found = parse(user_agent)
    parts = [part.family for part in (found.user_agent, found.os) if part is not None and part.family]
    return " on ".join(parts)[:_MAX_LENGTH] or None


def _is_device_namer(ua: UaDeviceNamer) -> DeviceNamer:
    return ua
