"""The audit log in memory."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.store import Block, State, Write
from application.audit.origin import present_origin
from application.audit.written import entry_of
from application.ports.audit import EXAMINED_AT_ONCE, AuditFilter, AuditPlace
from application.ports.jobs import Job, JobKind
from application.ports.randomness import Randomness
from domain.audit.audit_entry import EXPLANATION, NETWORK_ADDRESS, AuditEntry
from domain.events import Event
from domain.ids import AuditEntryId, UserId


class MemoryAuditLog:
    """`AuditLog` on a block."""

    def __init__(self, block: Block, randomness: Randomness, acted_on: Mapping[str, JobKind]) -> None:
        self._block = block
        self._randomness = randomness
        self._acted_on = acted_on

    async def append(self, event: Event) -> None:
        await self.append_all([event])

    async def append_all(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded."""
        for event in events:
            await self._block.write(self._write_of(event))

    def append_along(self, events: Iterable[Event]) -> None:
        """Write down what an aggregate recorded in the very write that keeps it."""
        for event in events:
            self._block.write_along(self._write_of(event))

    def _write_of(self, event: Event) -> Write:
        entry = entry_of(event, present_origin(), self._randomness)
        self._block.events.append(event)
        if event.name in self._acted_on:
            self._block.jobs.append(Job(kind=self._acted_on[event.name], subject=entry.id))

        def write(state: State) -> None:
            # None is ever taken away, so the next number is free.
            state.audit_entries.append(replace(entry, sequence=len(state.audit_entries) + 1))

        return write

    async def find(self, entry_id: AuditEntryId) -> AuditEntry | None:
        return next((entry for entry in self._block.state().audit_entries if entry.id == entry_id), None)

    async def of_user(
        self, user_id: UserId, *, before: int | None = None, limit: int | None = None
    ) -> Sequence[AuditEntry]:
        entries = [
            entry
            for entry in self._block.state().audit_entries
            if entry.user_id == user_id and (before is None or entry.sequence < before)
        ]
        return entries[::-1][:limit]

    async def page(
        self, wanted: AuditFilter, *, after: AuditPlace | None = None, limit: int
    ) -> tuple[Sequence[AuditEntry], AuditPlace | None]:
        key = _by_time if wanted.looked_up.is_by_time else _by_sequence
        found = [entry for entry in self._block.state().audit_entries if _fits(entry, wanted.looked_up)]
        found = sorted((entry for entry in found if after is None or key(entry) < key(after)), key=key, reverse=True)
        examined = found[:EXAMINED_AT_ONCE] if wanted != wanted.looked_up else found
        fitting = [entry for entry in examined if _fits(entry, wanted)]
        if len(fitting) > limit:
            return fitting[:limit], _place(fitting[limit - 1])
        return fitting, _place(examined[-1]) if len(found) > len(examined) else None

    async def forget(self, user_id: UserId) -> None:
        def write(state: State) -> None:
            state.audit_entries = [_without(entry, _forgotten(entry, user_id)) for entry in state.audit_entries]

        await self._block.write(write)

    async def purge_personal(self, *, occurred_before: datetime, limit: int) -> int:
        personal = [entry for entry in self._block.state().audit_entries if entry.personal][:limit]
        old = {entry.id for entry in personal if entry.occurred_at < occurred_before}

        def write(state: State) -> None:
            state.audit_entries = [
                replace(entry, personal={}) if entry.id in old else entry for entry in state.audit_entries
            ]

        await self._block.write(write)
        return len(old)


def _fits(entry: AuditEntry, wanted: AuditFilter) -> bool:
    return (
        wanted.user_id in {None, entry.user_id}
        and wanted.actor_id in {None, entry.actor_id}
        and wanted.event in {None, entry.event}
        and wanted.outcome in {None, entry.outcome}
        and (wanted.occurred_after is None or entry.occurred_at >= wanted.occurred_after)
        and (wanted.occurred_before is None or entry.occurred_at < wanted.occurred_before)
    )


def _place(entry: AuditEntry) -> AuditPlace:
    return AuditPlace(sequence=entry.sequence, occurred_at=entry.occurred_at)


def _by_sequence(place: AuditEntry | AuditPlace) -> tuple[int]:
    return (place.sequence,)


def _by_time(place: AuditEntry | AuditPlace) -> tuple[datetime, int]:
    return place.occurred_at, place.sequence


def _forgotten(entry: AuditEntry, user_id: UserId) -> set[str]:
    """The names of what is personal about that user."""
    is_theirs = entry.actor_id == user_id or (entry.actor_id is None and entry.user_id == user_id)
    names = {NETWORK_ADDRESS: is_theirs, EXPLANATION: entry.user_id == user_id}
    return {name for name, goes in names.items() if goes}


def _without(entry: AuditEntry, names: set[str]) -> AuditEntry:
    if not names & entry.personal.keys():
        return entry
    return replace(entry, personal={name: kept for name, kept in entry.personal.items() if name not in names})
