"""An e-mail address in the two forms that matter."""

import re
from dataclasses import dataclass, field

from domain.errors import InvalidFields, Violation

MAX_LENGTH = 254
MAX_LOCAL_LENGTH = 64
# A dot-atom (RFC 5322 section 3.2.3) at a domain of two labels or more, all in lower case.
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_CANONICAL = re.compile(rf"(?P<local>{_ATOM}(?:\.{_ATOM})*)@{_LABEL}(?:\.{_LABEL})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """Where a user gets mail. Two addresses are equal when their canonical forms are.

    `canonical` decides who is who, the same way at registration, sign-in and anywhere else: the local part in
    lower case, the domain as lower-case A-label (UTS 46). Plus signs and dots are left alone: they mean different
    mailboxes at most providers. `display` keeps the capitals and the script that the person typed, for showing and
    for sending. Built by the `EmailParser` port.
    """

    canonical: str
    display: str = field(compare=False)

    def __post_init__(self) -> None:
        parts = _CANONICAL.fullmatch(self.canonical)
        if (
            parts is None
            or len(self.canonical) > MAX_LENGTH
            or len(parts["local"]) > MAX_LOCAL_LENGTH
            or len(self.display) > MAX_LENGTH
        ):
            raise InvalidFields([invalid_email()])

    @property
    def local_part(self) -> str:
        """What stands before the @, canonical."""
        return self.canonical.partition("@")[0]

    @property
    def domain(self) -> str:
        """What stands behind the @, canonical."""
        return self.canonical.partition("@")[2]

    def __str__(self) -> str:
        return self.display


def invalid_email(field: str = "email") -> Violation:
    """The one answer to every malformed address."""
    return Violation(field, "invalid_email", "This is not an e-mail address that can receive mail.")
