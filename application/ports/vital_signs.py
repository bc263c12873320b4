"""How the service as a whole is doing, as far as the database knows: the same whichever process asks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from application.ports.jobs import JobKind
from domain.messages.message import MessageState


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSigns:
    """The jobs of one kind.

    `oldest` is the age of the one that was queued first and is not parked; `overdue` is how long the one that is due
    for the longest has waited since. Both are zero where there is none.
    """

    kind: JobKind
    waiting: int
    running: int
    parked: int
    oldest: timedelta
    overdue: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalSigns:
    """What the database knows.

    `mails` has those that are not sent, by how far they came. `key_age` is for how long the active signing key has
    signed, None where there is none. `unsealed` are audit entries outside the chain, and `oldest_unsealed` the age of
    the first of them. `upkeep` is how long ago each piece of it was done last, by whichever worker.
    """

    jobs: Sequence[JobSigns]
    mails: Mapping[MessageState, int]
    key_age: timedelta | None
    unsealed: int
    oldest_unsealed: timedelta
    upkeep: Mapping[str, timedelta]
    is_migrated: bool


class VitalSignReader(Protocol):
    """Reads them."""

    async def read(self) -> VitalSigns | None:
        """As they are now; None where the database does not answer. Cheap, but better not asked many times a second."""
        ...
