"""Users' passkeys in memory."""

import copy
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from adapters.memory.audit import MemoryAuditLog
from adapters.memory.store import Block, State, add_row, next_row_of, replace_row, row_of
from application.ports.passkeys import PasskeyProof
from domain.ids import UserId
from domain.mfa.passkey import Passkey, PasskeyAlreadyRegistered


class MemoryPasskeyRepository:
    """`PasskeyRepository` on a block."""

    def __init__(self, block: Block, audit: MemoryAuditLog) -> None:
        self._block = block
        self._audit = audit

    async def add(self, passkey: Passkey) -> None:
        row = row_of(passkey)
        credential_id = row.public.credential_id

        def write(state: State) -> None:
            state.expect_user(row.user_id)
            if any(other.public.credential_id == credential_id for other in state.passkeys.values()):
                raise PasskeyAlreadyRegistered
            add_row(state.passkeys, row.id, row)

        await self._block.write(write, row.id, credential_id)
        await self._audit.append_all(passkey.collect_events())

    async def save(self, passkey: Passkey) -> None:
        row = next_row_of(passkey)

        def write(state: State) -> None:
            before = replace_row(state.passkeys, row.id, row)
            state.passkeys[row.id] = replace(before, name=row.name, version=row.version)

        await self._block.write(write, row.id)
        passkey.version = row.version
        await self._audit.append_all(passkey.collect_events())

    async def remove(self, passkey: Passkey) -> None:
        await self._block.remove(lambda state: state.passkeys, passkey.id)
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
