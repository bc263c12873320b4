"""Names of roles. `admin` means something here; all others mean what services make of them."""

import re
from collections.abc import Iterable

from domain.errors import InvalidFields, NotAllowed, Violation

ADMIN = "admin"
MAX_ROLES = 20
MAX_ROLE_LENGTH = 40
ROLE = re.compile(r"[a-z][a-z0-9]*(?:[._:-][a-z0-9]+)*", re.ASCII)


class AdminRequired(NotAllowed):
    """Only operators may do this."""

    code = "admin_required"
    title = "This needs the role admin"


def roles(names: Iterable[str]) -> frozenset[str]:
    """The roles of a user, each once. All are in every access token, which is why they are short and few.

    Raises: InvalidFields.
    """
    found = frozenset(names)
    if len(found) > MAX_ROLES:
        raise InvalidFields([Violation("roles", "too_many_roles", f"A user has at most {MAX_ROLES} roles.")])
    if not all(len(name) <= MAX_ROLE_LENGTH and ROLE.fullmatch(name) for name in found):
        detail = f"Roles are like billing.reader: lower-case letters, digits and . _ : -, at most {MAX_ROLE_LENGTH}."
        raise InvalidFields([Violation("roles", "invalid_role", detail)])
    return found
