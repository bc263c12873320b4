"""What has to be true of a database, whatever was killed: all that was acknowledged, and nothing half-written."""

from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.faults.callers import Person

# Each finds what must not be.
HALF_WRITTEN = {
    "a user whose registration was not written down": """
        SELECT id::text FROM users u WHERE NOT EXISTS (
            SELECT FROM audit_entries a WHERE a.user_id = u.id AND a.event = 'user.registered')""",
    "a registration without a user": """
        SELECT user_id::text FROM audit_entries a WHERE event = 'user.registered' AND NOT EXISTS (
            SELECT FROM users u WHERE u.id = a.user_id)""",
    "a registration that nobody is going to mail about": """
        SELECT a.id::text FROM audit_entries a WHERE event = 'user.registered'
        AND NOT EXISTS (SELECT FROM messages m WHERE m.event_id = a.id)
        AND NOT EXISTS (SELECT FROM jobs j WHERE j.payload = uuid_send(a.id))""",
    "a mail that nobody is going to send": """
        SELECT m.id::text FROM messages m WHERE state IN ('queued', 'failed')
        AND NOT EXISTS (SELECT FROM jobs j WHERE j.payload = uuid_send(m.id))""",
    "a mail that is said to be sent and is nowhere": """
        SELECT m.id::text FROM messages m WHERE state = 'sent'
        AND NOT EXISTS (SELECT FROM mailbox b WHERE b.message_id = m.id)""",
    "a session whose beginning was not written down": """
        SELECT id::text FROM sessions s WHERE NOT EXISTS (
            SELECT FROM audit_entries a
            WHERE a.user_id = s.user_id AND a.event = 'session.started' AND a.details->>'session_id' = s.id::text)""",
    "a session that was begun and is not there": """
        SELECT a.details->>'session_id' FROM audit_entries a WHERE event = 'session.started' AND NOT EXISTS (
            SELECT FROM sessions s WHERE s.id::text = a.details->>'session_id')""",
    "a session whose end was not written down": """
        SELECT id::text FROM sessions s WHERE ended_at IS NOT NULL AND NOT EXISTS (
            SELECT FROM audit_entries a
            WHERE a.user_id = s.user_id AND a.event = 'session.ended' AND a.details->>'session_id' = s.id::text)""",
    "a session that is not of the generation of its newest token": """
        SELECT s.id::text FROM sessions s
        WHERE s.generation IS DISTINCT FROM (SELECT max(generation) FROM refresh_tokens t WHERE t.session_id = s.id)""",
    "a refresh token that was used twice, or whose successor is missing": """
        SELECT t.session_id::text FROM refresh_tokens t
        WHERE (t.rotated_at IS NOT NULL) <> (1 = (SELECT count(*) FROM refresh_tokens n
            WHERE n.session_id = t.session_id AND n.generation = t.generation + 1))""",
    "a session that was taken for stolen": """
        SELECT id::text FROM audit_entries WHERE event = 'session.token_reuse_detected'""",
    "an entry of the audit log without its proof": """
        SELECT a.id::text FROM audit_entries a
        WHERE NOT EXISTS (SELECT FROM audit_proofs p WHERE p.sequence = a.sequence)""",
}


async def half_written(connection: AsyncConnection) -> list[str]:
    """What must not be, and is."""
    found = []
    for what, query in HALF_WRITTEN.items():
        found += [f"{what}: {each}" for each in (await connection.execute(text(query))).scalars()]
    return found


async def lost(connection: AsyncConnection, people: Sequence[Person]) -> list[str]:
    """What these people were told and is not so."""
    users = text("SELECT id, email, display_name FROM users WHERE id = ANY(:ids)")
    rows = (await connection.execute(users, {"ids": [person.id for person in people]})).all()
    called = {row.id: (row.email, row.display_name) for row in rows}
    sessions = text("SELECT id, ended_at IS NOT NULL AS ended FROM sessions WHERE user_id = ANY(:ids)")
    rows = (await connection.execute(sessions, {"ids": [person.id for person in people]})).all()
    ended = {row.id: row.ended for row in rows}
    tokens = text("SELECT digest, session_id FROM refresh_tokens WHERE digest = ANY(:digests)")
    digests = [kept.digest for person in people for kept in person.sessions]
    of_session = {row.digest: row.session_id for row in (await connection.execute(tokens, {"digests": digests})).all()}
    return [said for person in people for said in _lost_of(person, called, ended, of_session)]


def _lost_of(
    person: Person, called: dict[object, tuple[str, str | None]], ended: dict[object, bool], tokens: dict[bytes, object]
) -> Iterable[str]:
    email, name = called.get(person.id, ("", None))
    if email != person.email:
        yield f"the registration of {person.email}"
    elif name not in person.names:
        yield f"the name of {person.email}: {name!r} is not one of {person.names}"
    for kept in person.sessions:
        if kept.id not in ended:
            yield f"the session {kept.id}"
        elif kept.has_ended and not ended[kept.id]:
            yield f"the end of session {kept.id}"
        elif ended[kept.id] and not kept.may_have_ended:
            yield f"the life of session {kept.id}"
        elif tokens.get(kept.digest) != kept.id:
            yield f"the newest token of session {kept.id}"
