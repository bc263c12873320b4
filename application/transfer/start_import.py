"""Beginning to move in."""

from application.ports.clock import Clock
from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import UnitOfWork
from domain.ids import UserId, UserImportId
from domain.transfer.user_import import ImportMode, RowFormat, UserImport

SEALED_FILE_KEY = "key of an import"
_KEY_BYTES = 32


class DraftImport:
    """Make what an import takes before the first row is read, but keep nothing."""

    def __init__(self, sealer: SecretSealer, clock: Clock, randomness: Randomness) -> None:
        self._sealer = sealer
        self._clock = clock
        self._randomness = randomness

    def draft(self, *, mode: ImportMode, format: RowFormat, by: UserId | None = None) -> UserImport:
        """A new import, which waits."""
        now = self._clock.now()
        import_id = UserImportId(self._randomness.uuid(at=now))
        # Keyed, or whoever reads the database could try addresses against what is noted of the file.
        key = self._randomness.secret(_KEY_BYTES).hex()
        sealed_key = self._sealer.seal(key, purpose=SEALED_FILE_KEY, owner=str(import_id))
        return UserImport.prepare(id=import_id, mode=mode, format=format, sealed_key=sealed_key, at=now, by=by)


class StartImport:
    """Note that a file is about to be read, by whoever has it at hand."""

    def __init__(self, unit_of_work: UnitOfWork, draft_import: DraftImport, clock: Clock) -> None:
        self._unit_of_work = unit_of_work
        self._draft_import = draft_import
        self._clock = clock

    async def execute(self, *, mode: ImportMode, format: RowFormat, by: UserId | None = None) -> UserImport:
        """The import, for `ImportUsers` to do."""
        started = self._draft_import.draft(mode=mode, format=format, by=by)
        started.begin(at=self._clock.now())
        async with self._unit_of_work.begin() as tx:
            await tx.user_imports.add(started)
        return started
