"""Listing signing keys."""

from collections.abc import Sequence

from application.ports.unit_of_work import UnitOfWork
from domain.signing.signing_key import SigningKey


class ListSigningKeys:
    """Show operators every key there has been, and where it stands."""

    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    async def execute(self) -> Sequence[SigningKey]:
        """All keys, oldest first."""
        async with self._unit_of_work.read() as tx:
            return await tx.signing_keys.all()
