"""Users."""

from typing import Annotated, Self, cast
from uuid import UUID

from pydantic import Field, SecretStr
from pydantic.config import JsonDict

from adapters.http.schemas.base import RequestSchema, ResponseSchema, Timestamp, examples
from domain.users.email_address import MAX_LENGTH
from domain.users.password_policy import MIN_LENGTH_FLOOR
from domain.users.profile import LANGUAGE_TAG, MAX_DISPLAY_NAME_LENGTH, MAX_LOCALE_LENGTH, ProfileChanges
from domain.users.user import User

# More than any policy admits, so that the policy gives the reason, and too little to be a burden.
MAX_TYPED_PASSWORD_LENGTH = 1024

# What the core will say about a text is told to callers, and left to the core: its refusals have codes of their own.
Email = Annotated[str, Field(max_length=MAX_LENGTH, json_schema_extra={"format": "idn-email"})]
DisplayName = Annotated[str, Field(max_length=MAX_DISPLAY_NAME_LENGTH, json_schema_extra={"minLength": 1})]
Locale = Annotated[str, Field(max_length=MAX_LOCALE_LENGTH, json_schema_extra={"pattern": f"^{LANGUAGE_TAG.pattern}$"})]
TypedPassword = Annotated[SecretStr, Field(max_length=MAX_TYPED_PASSWORD_LENGTH)]
# No service takes less than the floor, and most take no less than far more: that is in `GET /v1/config`.
NewPassword = Annotated[
    SecretStr, Field(max_length=MAX_TYPED_PASSWORD_LENGTH, json_schema_extra={"minLength": MIN_LENGTH_FLOOR})
]


class UserCreate(RequestSchema):
    """Who wants to register."""

    model_config = examples(
        {
            "email": "ada@example.com",
            "password": "a quiet harbour at dawn",
            "display_name": "Ada",
            "locale": "en",
        }
    )

    email: Email
    password: NewPassword = Field(description="15 characters or more by default; a few words will do.")
    display_name: DisplayName | None = None
    locale: Locale | None = Field(default=None, description="A language tag (BCP 47).")


class UserLookup(RequestSchema):
    """Whose address."""

    model_config = examples({"email": "ada@example.com"})

    email: Email


class UserUpdate(RequestSchema):
    """What to change: absent fields stay, null empties (RFC 7396)."""

    model_config = examples({"display_name": "Ada Lovelace"})

    display_name: DisplayName | None = None
    locale: Locale | None = Field(default=None, description="A language tag (BCP 47).")

    def changes(self) -> ProfileChanges:
        """Only what was said."""
        return cast("ProfileChanges", self.model_dump(exclude_unset=True))


class PasswordChange(RequestSchema):
    """The password of today, and the one from now on."""

    model_config = examples({"current_password": "a quiet harbour at dawn", "new_password": "a louder harbour at noon"})

    current_password: TypedPassword
    new_password: NewPassword


class DeletionRequest(RequestSchema):
    """Nothing is asked yet."""

    model_config = examples({})


class DeletionResponse(ResponseSchema):
    """What will happen."""

    model_config = examples({"deletion_due_at": "2026-02-14T12:00:00.000000Z"})

    deletion_due_at: Timestamp | None


USER_EXAMPLE: JsonDict = {
    "id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
    "email": "ada@example.com",
    "email_verified": False,
    "display_name": "Ada",
    "locale": "en",
    "is_active": True,
    "deletion_due_at": None,
    "roles": [],
    "created_at": "2026-01-31T12:00:00.000000Z",
    "updated_at": "2026-01-31T12:00:00.000000Z",
}


class UserResponse(ResponseSchema):
    """A user, as users see themselves."""

    model_config = examples(USER_EXAMPLE)

    id: UUID
    email: str
    email_verified: bool
    display_name: str | None
    locale: str | None
    is_active: bool
    deletion_due_at: Timestamp | None = Field(
        description="When the user will be erased, having asked for it; `POST …/me/deletion-cancellations` until then."
    )
    roles: list[str]
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, user: User) -> Self:
        return cls.model_validate(shown(user))


def shown(user: User) -> dict[str, object]:
    """The fields of a user that everybody sees who sees the user at all."""
    return {
        "id": user.id,
        "email": user.email.display,
        "email_verified": user.email_verified,
        "display_name": user.display_name,
        "locale": user.locale,
        "is_active": user.is_active,
        "deletion_due_at": user.deletion_due_at,
        "roles": sorted(user.roles),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
