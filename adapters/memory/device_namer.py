"""Naming devices without tables."""

from application.ports.device_namer import DeviceNamer

_MAX_LENGTH = 100


class MemoryDeviceNamer:
    """Takes the first word for the name."""

    async def name(self, user_agent: str) -> str | None:
        return next(iter(user_agent.replace("/", " ").split()), "")[:_MAX_LENGTH] or None


def _is_device_namer(memory: MemoryDeviceNamer) -> DeviceNamer:
    return memory
