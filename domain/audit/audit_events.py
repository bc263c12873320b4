"""What happens to the audit log itself."""

from dataclasses import dataclass

from domain.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRead(Event):
    """Somebody read the log: `what` of it, and by which `filters`, but not for whom they looked."""

    name = "audit.read"
    what: str
    filters: tuple[str, ...]
