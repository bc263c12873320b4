"""Sessions."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, SecretStr

from adapters.http.schemas.base import RequestSchema, ResponseSchema, Timestamp, examples
from adapters.http.schemas.users import Email, TypedPassword
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.known_devices import MAX_DEVICE_TOKEN_LENGTH
from domain.ids import SessionId
from domain.sessions.session import Session

# Far more than a refresh token has: what is no token is said to be none, and not to be too long.
MAX_TOKEN_LENGTH = 256

Transport = Annotated[
    Literal["body", "cookie"],
    Field(
        description="How refresh and device token travel. `cookie` is for pages in browsers: scripts never see them."
    ),
]
DeviceToken = Annotated[
    SecretStr | None,
    Field(
        max_length=MAX_DEVICE_TOKEN_LENGTH,
        description="What an earlier sign-in on this device was given: it keeps strangers from using up its attempts.",
    ),
]


class SessionCreate(RequestSchema):
    """Who wants to sign in."""

    model_config = examples({"email": "ada@example.com", "password": "a quiet harbour at dawn"})

    email: Email
    password: TypedPassword
    transport: Transport = "body"
    device_token: DeviceToken = None


class SessionRefresh(RequestSchema):
    """Who wants to go on."""

    model_config = examples({"refresh_token": "hp_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_00000000"})

    refresh_token: SecretStr | None = Field(
        default=None, max_length=MAX_TOKEN_LENGTH, description="Left out by pages that have it in a cookie."
    )


class TokenResponse(ResponseSchema):
    """The keys to a session. The refresh token is shown this once."""

    model_config = examples(
        {
            "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9.e30.c2ln",
            "token_type": "Bearer",
            "expires_in": 600,
            "refresh_token": "hp_rt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_00000000",
            "session_id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
            "device_token": "hp_dv_djEuMGExYjJjM2Qu",
        }
    )

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int = Field(description="Life of the access token, in seconds.")
    refresh_token: str | None = Field(description="Null where it is in a cookie.")
    session_id: UUID
    device_token: str | None = Field(
        default=None, description="After signing in: to be kept on the device, for the next time. Opens nothing."
    )

    @classmethod
    def of(cls, issued: IssuedTokens, *, in_cookie: bool = False) -> Self:
        return cls(
            access_token=issued.access_token,
            token_type="Bearer",  # noqa: S106  (the scheme's name)
            expires_in=int(issued.access_token_lifetime.total_seconds()),
            refresh_token=None if in_cookie else issued.refresh_token.text,
            session_id=issued.session_id,
            device_token=None if in_cookie else issued.device_token,
        )


class SessionList(ResponseSchema):
    """Sessions, last signed in first. All of them: there is a limit for each user."""

    items: list["SessionResponse"]
    next_cursor: None = None

    @classmethod
    def of(cls, sessions: Iterable[Session], *, current: SessionId) -> Self:
        return cls(items=[SessionResponse.of(session, current=session.id == current) for session in sessions])


class SessionResponse(ResponseSchema):
    """One sign-in on one device."""

    model_config = examples(
        {
            "id": "0192f1c4-6f0e-7c3a-9d2b-5e8f7a6b4c3d",
            "current": True,
            "methods": ["pwd"],
            "device": "Firefox on Windows",
            "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "network_address": "192.0.2.7",
            "authenticated_at": "2026-01-31T12:00:00.000000Z",
            "created_at": "2026-01-31T12:00:00.000000Z",
            "last_used_at": "2026-01-31T12:00:00.000000Z",
            "expires_at": "2026-03-02T12:00:00.000000Z",
        }
    )

    id: UUID
    current: bool
    methods: list[str] = Field(description="How the user proved who they are, by the names of RFC 8176.")
    device: str | None = Field(description="What people may recognise the user agent by.")
    user_agent: str | None
    network_address: str | None
    authenticated_at: Timestamp
    created_at: Timestamp
    last_used_at: Timestamp
    expires_at: Timestamp

    @classmethod
    def of(cls, session: Session, *, current: bool) -> Self:
        return cls(
            id=session.id,
            current=current,
            methods=list(session.methods),
            device=session.device.name,
            user_agent=session.device.user_agent,
            network_address=session.device.network_address,
            authenticated_at=session.authenticated_at,
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            expires_at=session.expires_at,
        )
