"""Naming devices."""

from typing import Protocol


class DeviceNamer(Protocol):
    """Makes something that people recognise of what a browser says about itself."""

    async def name(self, user_agent: str) -> str | None:
        """Such as `Firefox on Windows`; at most 100 characters, and None where nothing can be made of it. Never raises.

        May take a while for one that was not seen before; never call it inside a transaction.
        """
        ...
