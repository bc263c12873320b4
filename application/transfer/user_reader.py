"""From the fields of a row to the user who comes of it."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from application.ports.email_parser import EmailParser
from application.ports.password_transfer import ForeignHash, PasswordTransfer, UnusableHash
from application.ports.randomness import Randomness
from application.transfer.invalid_row import InvalidRow, unknown_field
from application.transfer.row_formats import Fields
from domain.errors import InvalidFields, Violation
from domain.ids import NOBODY, UserId
from domain.transfer.user_import import MAX_SOURCE_ID_LENGTH
from domain.users import profile
from domain.users.roles import roles
from domain.users.suspension import Suspension
from domain.users.user import User

KNOWN_FIELDS = frozenset(
    {
        "id",
        "source_id",
        "email",
        "email_verified",
        "email_verified_at",
        "display_name",
        "locale",
        "roles",
        "password_hash",
        "suspension",
        "deletion_due_at",
        "created_at",
        "updated_at",
        "last_seen_at",
    }
)
_SUSPENSION = frozenset({"since", "reason", "until"})
_ID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# RFC 3339, with fewer digits than some write and more than we keep.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(slots=True)
class Arrival:
    """A user who may come, with the id that the row gave them, if it did."""

    user: User
    given_id: UserId | None
    password_format: str | None


class UserReader:
    """Makes users of rows, by the rules that hold for everybody, or says which rule a row breaks."""

    def __init__(self, emails: EmailParser, passwords: PasswordTransfer, randomness: Randomness) -> None:
        self._emails = emails
        self._passwords = passwords
        self._randomness = randomness

    def read(self, fields: Fields, *, at: datetime) -> Arrival:
        """The user of a row; what it leaves out is as if they had registered at that moment.

        No event is recorded: of imports there is one for many users.

        Raises: InvalidRow.
        """
        if not fields.keys() <= KNOWN_FIELDS:
            raise unknown_field(next(name for name in fields if name not in KNOWN_FIELDS))
        get = fields.get
        try:
            email = get("email")
            if type(email) is not str:
                raise (
                    InvalidRow(Violation("email", "missing", "This field is required."))
                    if email is None
                    else _no_text("email")
                )
            address = self._emails.parse(email)
            display_name = get("display_name")
            if display_name is not None:
                display_name = profile.display_name(_text("display_name", display_name))
            locale = get("locale")
            if locale is not None:
                locale = profile.locale(_text("locale", locale))
            suspension = get("suspension")
            if suspension is not None:
                suspension = _suspension(suspension)
            given_roles = _roles(get("roles"))
        except InvalidFields as error:
            raise InvalidRow(error.violations[0]) from None
        given_id = _id(get("id"))
        user_id = given_id or UserId(self._randomness.uuid(at=at))
        foreign = self._recognised(get("password_hash"))
        created_at = _time("created_at", get("created_at"))
        user = User(
            id=user_id,
            email=address,
            email_verified_at=_verified_at(get("email_verified"), get("email_verified_at"), at),
            password_hash=self._passwords.take_in(foreign, owner=user_id) if foreign is not None else None,
            display_name=display_name,
            locale=locale,
            roles=given_roles,
            suspension=suspension,
            deletion_due_at=_time("deletion_due_at", get("deletion_due_at")),
            source_id=_source_id(get("source_id")),
            created_at=created_at or at,
            updated_at=_time("updated_at", get("updated_at")) or created_at or at,
            last_seen_at=_time("last_seen_at", get("last_seen_at")) or created_at or at,
        )
        return Arrival(user, given_id, foreign.format if foreign is not None else None)

    def _recognised(self, written: object) -> ForeignHash | None:
        if written is None:
            return None
        if not isinstance(written, (str, dict)):
            raise InvalidRow(Violation("password_hash", "malformed_password_hash", "This must be a text or an object."))
        try:
            return self._passwords.recognise(written)
        except UnusableHash as unusable:
            raise InvalidRow(Violation("password_hash", unusable.code, _sentence(unusable.detail))) from None


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."


def _no_text(field: str) -> InvalidRow:
    return InvalidRow(Violation(field, "not_a_string", "This must be a string."))


def _text(field: str, value: object) -> str:
    if not isinstance(value, str):
        raise _no_text(field)
    return value


def _id(value: object) -> UserId | None:
    if value is None:
        return None
    found = UUID(value) if isinstance(value, str) and _ID.fullmatch(value) else NOBODY
    if found == NOBODY:
        raise InvalidRow(Violation("id", "not_an_id", "This is no UUID."))
    return UserId(found)


def _source_id(value: object) -> str | None:
    if value is None:
        return None
    text = _text("source_id", value)
    if not 0 < len(text) <= MAX_SOURCE_ID_LENGTH or _CONTROL.search(text):
        detail = f"Use 1 to {MAX_SOURCE_ID_LENGTH} characters, none of them a control character."
        raise InvalidRow(Violation("source_id", "invalid_source_id", detail))
    return text


def _time(field: str, value: object) -> datetime | None:
    if value is None:
        return None
    try:
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidRow(Violation(field, "not_a_time", "This must be a time with a zone (RFC 3339)."))


def _verified_at(verified: object, since: object, at: datetime) -> datetime | None:
    if verified is not None and not isinstance(verified, bool):
        raise InvalidRow(Violation("email_verified", "not_a_boolean", "This must be true or false."))
    moment = _time("email_verified_at", since)
    if verified is False and moment is not None:
        detail = "An address that is not verified has no time at which it was."
        raise InvalidRow(Violation("email_verified_at", "contradictory", detail))
    return moment or (at if verified else None)


def _roles(value: object) -> frozenset[str]:
    if value is None:
        return frozenset()
    if not isinstance(value, list):
        raise InvalidRow(Violation("roles", "not_a_list", "This must be a list of names."))
    if not all(isinstance(role, str) for role in value):
        raise InvalidRow(Violation("roles", "invalid_role", "This must be a list of names."))
    return roles(value)


def _suspension(value: object) -> Suspension:
    if not isinstance(value, dict):
        raise InvalidRow(Violation("suspension", "not_an_object", "This must be an object with since and reason."))
    if not value.keys() <= _SUSPENSION:
        name = next(name for name in value if name not in _SUSPENSION)
        raise unknown_field("suspension." + name)
    since = _time("suspension.since", value.get("since"))
    if since is None or value.get("reason") is None:
        raise InvalidRow(Violation("suspension", "missing", "A suspension has since and reason."))
    reason = _text("suspension.reason", value["reason"])
    until = _time("suspension.until", value.get("until"))
    try:
        return Suspension(since=since, reason=reason, until=until)
    except InvalidFields as error:
        violation = error.violations[0]
        raise InvalidRow(replace(violation, field=f"suspension.{violation.field}")) from None
