"""The record of an event."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from domain.events import Detail, Outcome
from domain.ids import AuditEntryId, UserId

NETWORK_ADDRESS = "network_address"
EXPLANATION = "explanation"
PERSONAL_DETAILS = frozenset({NETWORK_ADDRESS, EXPLANATION})
"""Details that say something about a person beyond that something happened. They can be destroyed (PR-02)."""


class Source(StrEnum):
    """Through what somebody acted."""

    HTTP = "http"
    CLI = "cli"
    WORKER = "worker"
    """Nobody: it was done by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalDetail:
    """What can be destroyed without breaking what was proved: only its commitment is part of the proof.

    `salt` is 32 random bytes, as hex: without it nobody can find the value by trying all there are.
    """

    salt: str = field(repr=False)
    value: Detail = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One event as it was written down. Entries are only ever added; `sequence` is their order, with gaps.

    Who (`actor_id`), what (`event`), whom (`user_id`), when, through what, in which request, and how it ended. `public`
    are the details, null in place of personal ones. Of those `commitments` has a hash each, and `personal` what is
    left.
    """

    id: AuditEntryId
    sequence: int
    event: str
    outcome: Outcome
    source: Source | None
    actor_id: UserId | None
    user_id: UserId | None
    occurred_at: datetime
    request_id: UUID | None
    public: Mapping[str, Detail]
    commitments: Mapping[str, str]
    personal: Mapping[str, PersonalDetail]

    @property
    def details(self) -> Mapping[str, Detail]:
        """What the event said, as far as it is left. For the user whom it is about: nobody else's address is in it."""
        own = {name: detail.value for name, detail in self.personal.items() if name in self.public}
        if NETWORK_ADDRESS in own:
            own[NETWORK_ADDRESS] = self.own_address
        return {**self.public, **own}

    @property
    def network_address(self) -> str | None:
        """From where, for operators."""
        found = self.personal.get(NETWORK_ADDRESS)
        return str(found.value) if found is not None else None

    @property
    def own_address(self) -> str | None:
        """From where, for the user whom it is about: not where somebody else, such as an operator, acted."""
        return self.network_address if self.actor_id in {None, self.user_id} else None
