"""Reading what was true a moment ago."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from application.ports.unit_of_work import Transaction


class DelayedReads(Protocol):
    """Opens blocks that read from a copy of the data, if there is one, and the copy may be behind by some seconds.

    For long lists that people look at. Who somebody is and what they may do is never asked here (fault 7): whoever was
    suspended, or has signed out, would not be for a while. A test knows every use case that asks.
    """

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """As `UnitOfWork.read`, of the same data or what it was a moment ago.

        Raises: as `UnitOfWork.read`.
        """
        ...
