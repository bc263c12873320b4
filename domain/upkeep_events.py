"""What operators do to the service as a whole."""

from dataclasses import dataclass

from domain.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupRestored(Event):
    """A backup is the database now: what was done since it was made is unknown here, and nothing good once is good."""

    name = "backup.restored"
