"""Moving in."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass

from application.ports.clock import Clock
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import DuplicateKey, Transaction, TransactionConflict, UnitOfWork
from application.ports.user_imports import Identities
from application.transfer.chunks import Chunk, chunks_of
from application.transfer.invalid_row import InvalidRow
from application.transfer.judging import Claims, identities_of, judged
from application.transfer.row_formats import RowsOfFormat, rows_of
from application.transfer.start_import import SEALED_FILE_KEY
from application.transfer.user_reader import Arrival, UserReader
from application.upkeep.in_batches import in_batches
from domain.errors import ConcurrentUpdate
from domain.ids import UserImportId
from domain.transfer.user_import import AlreadyImported, RowReport, UserImport, Verdict
from domain.users.registration import EmailAlreadyRegistered

# So many rows are read at a stretch: others in this process want to get on meanwhile.
_AT_A_STRETCH = 10
_MOST_ATTEMPTS = 5
_NOTES_AT_ONCE = 10_000
_MOST_AHEAD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPolicy:
    """How many rows are taken in at a time, in one transaction."""

    rows_at_once: int = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A chunk whose rows have been read: those of which somebody may come, and what is wrong with the others."""

    chunk: Chunk
    arrivals: Sequence[tuple[int, int, Arrival]]
    invalid: Sequence[RowReport]


class ImportUsers:
    """Take in the users of a file, or with a dry run say what would become of them.

    Each chunk of rows is one transaction: its users, what became of each of its rows, and how far the import is.
    Whatever happens in between, what was finished counts, and nothing else does. The next chunk is read while one is
    being kept. A dry run does the same but for the users themselves: what its rows would have taken is noted, for rows
    of later chunks to meet.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        sealer: SecretSealer,
        reader: UserReader,
        clock: Clock,
        policy: ImportPolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._sealer = sealer
        self._reader = reader
        self._clock = clock
        self._policy = policy

    async def execute(
        self,
        *,
        import_id: UserImportId,
        source: AsyncIterable[bytes],
        on_progress: Callable[[UserImport], object] = lambda _: None,
    ) -> UserImport:
        """The import when every row of the file has its verdict; `on_progress` is told after each chunk.

        One that was interrupted goes on after the last row that has one.

        Raises: ImportNotFound, ImportIsOver, AnotherFile, UnreadableFile; ConcurrentUpdate when somebody else goes on
            with the same import.
        """
        user_import = await self._begin(import_id)
        key = self._key_of(user_import)
        rows = rows_of(user_import.format)
        chunks = chunks_of(
            source,
            rows,
            key=key,
            after=user_import.rows,
            fingerprint=user_import.fingerprint,
            most_rows=self._policy.rows_at_once,
        )
        # While one is being kept, a few more are read: neither we nor the database wait for the other.
        keeping: deque[asyncio.Task[UserImport]] = deque()
        try:
            async for chunk in chunks:
                read = await self._read(chunk, rows)
                before = keeping[-1] if keeping else None
                keeping.append(asyncio.create_task(self._keep_after(before, import_id, read, key)))
                if len(keeping) > _MOST_AHEAD:
                    on_progress(await keeping[0])
                    keeping.popleft()
            for task in keeping:
                user_import = await task
                on_progress(user_import)
        finally:
            for task in keeping:
                task.cancel()
            await asyncio.gather(*keeping, return_exceptions=True)
        return await self._finish(import_id, rows=user_import.rows)

    async def _begin(self, import_id: UserImportId) -> UserImport:
        async with self._unit_of_work.begin() as tx:
            user_import = await tx.user_imports.lock(import_id)
            user_import.begin(at=self._clock.now())
            await tx.user_imports.save(user_import)
        return user_import

    def _key_of(self, user_import: UserImport) -> bytes:
        key = self._sealer.open(user_import.sealed_key, purpose=SEALED_FILE_KEY, owner=str(user_import.id))
        if key is None:
            message = "the key of this import was sealed under another root key"
            raise RuntimeError(message)
        return bytes.fromhex(key)

    async def _read(self, chunk: Chunk, rows: RowsOfFormat) -> _Read:
        now = self._clock.now()
        arrivals: list[tuple[int, int, Arrival]] = []
        invalid: list[RowReport] = []
        for number, (line, raw) in enumerate(chunk.records, chunk.first):
            if number % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            try:
                arrivals.append((number, line, self._reader.read(rows.fields(raw), at=now)))
            except InvalidRow as error:
                wrong = error.violation
                invalid.append(RowReport(number, line, Verdict.INVALID, wrong.code, wrong.field or None, wrong.detail))
        return _Read(chunk=chunk, arrivals=arrivals, invalid=invalid)

    async def _keep_after(
        self, before: asyncio.Task[UserImport] | None, import_id: UserImportId, read: _Read, key: bytes
    ) -> UserImport:
        if before is not None:
            await before
        return await self._keep(import_id, read, key)

    async def _keep(self, import_id: UserImportId, read: _Read, key: bytes) -> UserImport:
        for attempt in range(_MOST_ATTEMPTS - 1):
            try:
                return await self._keep_once(import_id, read, key, is_hopeful=attempt == 0)
            except (EmailAlreadyRegistered, AlreadyImported, DuplicateKey, TransactionConflict):
                # Somebody is here already, or has come at this very moment: looked up, they are found.
                continue
        return await self._keep_once(import_id, read, key, is_hopeful=False)

    async def _keep_once(self, import_id: UserImportId, read: _Read, key: bytes, *, is_hopeful: bool) -> UserImport:
        now = self._clock.now()
        async with self._unit_of_work.begin() as tx:
            user_import = await tx.user_imports.lock(import_id)
            if user_import.rows + 1 != read.chunk.first:
                raise ConcurrentUpdate
            # As long as nobody of the file was here, nobody is looked for: the constraints tell, and looking takes as
            # long as half of the writing.
            is_hopeful = is_hopeful and user_import.applies and not user_import.count(Verdict.EXISTS)
            taken = Identities() if is_hopeful else await self._taken(tx, user_import, read, key)
            accepted, reports = judged(read.arrivals, taken)
            if is_hopeful and len(accepted) < len(read.arrivals):
                # Rows of this very chunk meet. What else they meet is told first, and only the database knows it.
                accepted, reports = judged(read.arrivals, await self._taken(tx, user_import, read, key))
            if user_import.applies:
                await tx.bulk_users.add_all([arrival.user for arrival in accepted])
            else:
                reports = [report._replace(user_id=None) for report in reports]
                await tx.user_imports.claim(import_id, Claims(identities_of(accepted), key).digests)
            reports = sorted([*reports, *read.invalid])
            await tx.user_imports.add_reports(import_id, reports)
            user_import.judge(reports, fingerprint=read.chunk.fingerprint, at=now)
            await tx.user_imports.save(user_import)
        return user_import

    @staticmethod
    async def _taken(tx: Transaction, user_import: UserImport, read: _Read, key: bytes) -> Identities:
        asked = identities_of([arrival for _, _, arrival in read.arrivals])
        taken = await tx.bulk_users.taken(asked)
        if not user_import.applies:
            claims = Claims(asked, key)
            claims.note(await tx.user_imports.claimed(user_import.id, claims.digests), taken)
        return taken

    async def _finish(self, import_id: UserImportId, *, rows: int) -> UserImport:
        async with self._unit_of_work.begin() as tx:
            user_import = await tx.user_imports.lock(import_id)
            if user_import.rows != rows:
                raise ConcurrentUpdate
            user_import.finish(at=self._clock.now())
            await tx.user_imports.save(user_import)
        await in_batches(
            self._unit_of_work,
            lambda tx: tx.user_imports.forget_claims(import_id, limit=_NOTES_AT_ONCE),
            size=_NOTES_AT_ONCE,
        )
        return user_import
