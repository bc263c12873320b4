"""From events to entries: the same for every adapter of the audit log."""

from application.audit.origin import Origin
from application.ports.randomness import Randomness
from domain.audit.audit_entry import NETWORK_ADDRESS, PERSONAL_DETAILS, AuditEntry, PersonalDetail, Source
from domain.audit.chain import commitment
from domain.events import Detail, Event
from domain.ids import AuditEntryId, UserId

_SALT_BYTES = 32


def entry_of(event: Event, origin: Origin, randomness: Randomness) -> AuditEntry:
    """The entry that an event becomes. Its sequence is 0 until it is written."""
    said, actor_id = event.details(), _actor_of(event, origin)
    # An address that belongs to nobody would be forgotten with nobody: such as where a key was made by the way.
    is_of_somebody = actor_id is not None or event.user_id is not None
    # What the event itself says goes before what is known of the request.
    personal: dict[str, Detail] = {
        NETWORK_ADDRESS: origin.network_address if is_of_somebody else None,
        **{name: value for name, value in said.items() if name in PERSONAL_DETAILS and value is not None},
    }
    kept = {
        name: PersonalDetail(salt=randomness.secret(_SALT_BYTES).hex(), value=value)
        for name, value in personal.items()
        if value is not None
    }
    return AuditEntry(
        id=AuditEntryId(randomness.uuid(at=event.occurred_at)),
        sequence=0,
        event=event.name,
        outcome=event.outcome,
        source=origin.source,
        actor_id=actor_id,
        user_id=event.user_id,
        occurred_at=event.occurred_at,
        request_id=origin.request_id,
        public={name: None if name in PERSONAL_DETAILS else value for name, value in said.items()},
        commitments={name: commitment(detail) for name, detail in kept.items()},
        personal=kept,
    )


def _actor_of(event: Event, origin: Origin) -> UserId | None:
    by: UserId | None = getattr(event, "by", None)
    if by is not None:
        return by
    if origin.actor_id is not None:
        return origin.actor_id
    # Whoever signs in or registers is known once they have.
    return event.user_id if event.is_own_act and origin.source is Source.HTTP else None
