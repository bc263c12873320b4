"""Who of those that may come is here already."""

from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b

from application.ports.user_imports import Identities
from application.transfer.user_reader import Arrival
from domain.transfer.user_import import AlreadyImported, RowReport, Verdict
from domain.users.registration import EmailAlreadyRegistered

_DIGEST_BYTES = 16


def identities_of(arrivals: Iterable[Arrival]) -> Identities:
    """What these people would be told apart by. An id that was made for them is nobody else's anyway."""
    found = Identities()
    for arrival in arrivals:
        _add(arrival, found)
    return found


def judged(arrivals: Sequence[tuple[int, int, Arrival]], taken: Identities) -> tuple[list[Arrival], list[RowReport]]:
    """Whom to take in, and what becomes of each row; `taken` is by whom, and grows with whoever comes."""
    accepted: list[Arrival] = []
    reports: list[RowReport] = []
    for number, line, arrival in arrivals:
        user = arrival.user
        code = None
        if arrival.given_id in taken.ids or user.source_id in taken.source_ids:
            code = AlreadyImported.code
        elif user.email.canonical in taken.emails:
            code = EmailAlreadyRegistered.code
        if code is not None:
            reports.append(RowReport(number, line, Verdict.EXISTS, code))
            continue
        accepted.append(arrival)
        _add(arrival, taken)
        report = RowReport(number, line, Verdict.ACCEPTED, password_format=arrival.password_format, user_id=user.id)
        reports.append(report)
    return accepted, reports


class Claims:
    """Identities by their keyed digests, by which they can be noted without saying whose they are."""

    def __init__(self, identities: Identities, key: bytes) -> None:
        self._emails = {_digest("email", email, key): email for email in identities.emails}
        self._source_ids = {_digest("source_id", text, key): text for text in identities.source_ids}
        self._ids = {_digest("id", str(user_id), key): user_id for user_id in identities.ids}

    @property
    def digests(self) -> Collection[bytes]:
        """All of them."""
        return [*self._emails, *self._source_ids, *self._ids]

    def note(self, claimed: Collection[bytes], taken: Identities) -> None:
        """Count what has been claimed as taken."""
        taken.emails.update(email for digest, email in self._emails.items() if digest in claimed)
        taken.source_ids.update(text for digest, text in self._source_ids.items() if digest in claimed)
        taken.ids.update(user_id for digest, user_id in self._ids.items() if digest in claimed)


def _digest(kind: str, text: str, key: bytes) -> bytes:
    return blake2b(f"{kind} {text}".encode(), key=key, digest_size=_DIGEST_BYTES).digest()


def _add(arrival: Arrival, to: Identities) -> None:
    to.emails.add(arrival.user.email.canonical)
    if arrival.given_id is not None:
        to.ids.add(arrival.given_id)
    if arrival.user.source_id is not None:
        to.source_ids.add(arrival.user.source_id)
