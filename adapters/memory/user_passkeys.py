"""Users' passkeys in memory."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, expect_free
from application.ports.passkeys import PasskeyProof
from domain.errors import ConcurrentUpdate
from domain.ids import UserId
from domain.mfa.passkey import Passkey, PasskeyAlreadyRegistered
from domain.users.user import UserNotFound


class MemoryPasskeyRepository:
    """`PasskeyRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, passkey: Passkey) -> None:
        row = _row(passkey)
        credential_id = row.public.credential_id

        def write(state: State) -> None:
            if row.user_id not in state.users:
                raise UserNotFound
            if any(other.public.credential_id == credential_id for other in state.passkeys.values()):
                raise PasskeyAlreadyRegistered
            expect_free(row.id, state.passkeys)
            state.passkeys[row.id] = row

        await self._block.write(write, row.id, credential_id)
        await self._audit.append_all(passkey.collect_events())

    async def save(self, passkey: Passkey) -> None:
        name, loaded = passkey.name, passkey.version

        def write(state: State) -> None:
            present = state.passkeys.get(passkey.id)
            if present is None or present.version != loaded:
                raise ConcurrentUpdate
            state.passkeys[passkey.id] = replace(present, name=name, version=loaded + 1)

        await self._block.write(write, passkey.id)
        passkey.version = loaded + 1
        await self._audit.append_all(passkey.collect_events())

    async def remove(self, passkey: Passkey) -> None:
        def write(state: State) -> None:
            state.passkeys.pop(passkey.id, None)

        await self._block.write(write, passkey.id)
        await self._audit.append_all(passkey.collect_events())

    async def of_user(self, user_id: UserId) -> Sequence[Passkey]:
        own = [passkey for passkey in self._block.state().passkeys.values() if passkey.user_id == user_id]
        return copy.deepcopy(sorted(own, key=lambda passkey: passkey.id))

    async def find(self, credential_id: bytes) -> Passkey | None:
        for passkey in self._block.state().passkeys.values():
            if passkey.public.credential_id == credential_id:
                return copy.deepcopy(passkey)
        return None

    async def note_use(self, passkey: Passkey, proof: PasskeyProof, *, at: datetime) -> bool:
        await self._block.lock(passkey.id)
        present = self._block.state().passkeys.get(passkey.id)
        if present is None or present.public.sign_count != passkey.public.sign_count:
            return False

        def write(state: State) -> None:
            row = state.passkeys[passkey.id]
            public = replace(row.public, sign_count=proof.sign_count, backed_up=proof.backed_up)
            state.passkeys[passkey.id] = replace(row, public=public, last_used_at=at)

        await self._block.write(write, passkey.id)
        return True


def _row(passkey: Passkey) -> Passkey:
    row = copy.deepcopy(passkey)
    row.collect_events()
    return row
