"""Users, as operators see them."""

from typing import Annotated, Self, cast, override

from pydantic import BaseModel, Field
from pydantic.config import JsonDict

from adapters.http.conditional import etag
from adapters.http.schemas.base import Moment, RequestSchema, ResponseSchema, Timestamp, examples
from adapters.http.schemas.suspensions import SuspensionResponse
from adapters.http.schemas.users import (
    USER_EXAMPLE,
    DisplayName,
    Email,
    Locale,
    NewPassword,
    UserResponse,
    UserUpdate,
    shown,
)
from application.admin.change_user import UserChanges
from application.ports.user_search import UserFilter, UserOrder, UserStatus, statuses_of
from domain.users.email_address import MAX_LENGTH
from domain.users.roles import MAX_ROLE_LENGTH, MAX_ROLES, ROLE
from domain.users.user import User

_OPERATED: JsonDict = {
    "status": ["active"],
    "suspension": None,
    "has_password": True,
    "last_seen_at": "2026-01-31T12:00:00.000000Z",
}


class OperatedUserResponse(UserResponse):
    """A user, as operators see them."""

    model_config = examples(USER_EXAMPLE | _OPERATED)

    status: list[UserStatus] = Field(description="`active` is whoever is nothing else; there may be more of them.")
    suspension: SuspensionResponse | None
    has_password: bool = Field(description="Not before an invitation is accepted, for example.")
    last_seen_at: Timestamp = Field(description="Right to an hour or so; of whoever never came, when they were made.")

    @classmethod
    def of(cls, user: User) -> Self:
        return cls.model_validate(
            {
                **shown(user),
                "status": sorted(statuses_of(user)),
                "suspension": SuspensionResponse.of(user.suspension) if user.suspension is not None else None,
                "has_password": user.password_hash is not None,
                "last_seen_at": user.last_seen_at,
            }
        )


_Role = Annotated[str, Field(max_length=MAX_ROLE_LENGTH, json_schema_extra={"pattern": f"^{ROLE.pattern}$"})]
_Roles = Annotated[list[_Role], Field(max_length=MAX_ROLES)]


class OperatedUserCreate(RequestSchema):
    """Whom to make a user."""

    model_config = examples(
        {"email": "grace@example.com", "display_name": "Grace", "locale": "en", "roles": ["porter"]}
    )

    email: Email
    password: NewPassword | None = Field(
        default=None, description="Better left out: then the user is mailed an invitation to choose one."
    )
    email_verified: bool = False
    display_name: DisplayName | None = None
    locale: Locale | None = Field(default=None, description="A language tag (BCP 47).")
    roles: _Roles = Field(default=[], description="`admin`, and what your services know.")


class OperatedUserUpdate(UserUpdate):
    """What to change: absent fields stay (RFC 7396)."""

    model_config = examples({"roles": ["porter"]})

    email: Email = ""
    email_verified: bool = False
    roles: _Roles = Field(default=[])

    @override
    def changes(self) -> UserChanges:
        said = cast("UserChanges", super().changes())
        if "roles" in said:
            said["roles"] = frozenset(self.roles)
        return said


class OperatedPasswordReset(RequestSchema):
    """How a password is reset."""

    model_config = examples({"discard": True})

    discard: bool = Field(default=False, description="Whether the password of today stops working now.")


def operated_etag(user: User) -> str:
    """Being seen counts no version, and is shown."""
    return etag(f"{user.id}.{user.last_seen_at.timestamp():.0f}", user.version)


class UserList(ResponseSchema):
    """A page of users."""

    items: list[OperatedUserResponse]
    next_cursor: str | None = Field(
        description="For the next page; null at the end. A short or empty page alone is not the end."
    )


class UserQuery(BaseModel):
    """Whom to list; filters combine with AND. What is no parameter of the route is refused before."""

    status: UserStatus | None = None
    role: Annotated[str, Field(max_length=MAX_ROLE_LENGTH, pattern=f"^{ROLE.pattern}$")] | None = None
    email_verified: bool | None = None
    email_prefix: Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)] | None = Field(
        default=None, description="How the address begins, in whatever case."
    )
    created_after: Moment | None = Field(default=None, description="From this moment on.")
    created_before: Moment | None = Field(default=None, description="Before this moment.")
    last_seen_before: Moment | None = Field(default=None, description="Not seen from this moment on.")
    sort: UserOrder | None = Field(
        default=None,
        description="With a minus, the other way round. Left out: by what is asked of, `email` for an `email_prefix`, "
        "`last_seen_at` for `last_seen_before`, else `-created_at`.",
    )

    @property
    def only(self) -> UserFilter:
        return UserFilter(
            status=self.status,
            role=self.role,
            email_verified=self.email_verified,
            email_prefix=self.email_prefix.lower() if self.email_prefix is not None else None,
            created_after=self.created_after,
            created_before=self.created_before,
            last_seen_before=self.last_seen_before,
        )

    @property
    def order(self) -> UserOrder:
        return self.sort or self.only.usual_order
