"""Users."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base, at_most
from adapters.postgres.models.idempotency import IdempotentRequestModel
from adapters.postgres.models.messages import MessageModel
from adapters.postgres.models.mfa import (
    FactorResetModel,
    PasskeyCeremonyModel,
    PasskeyModel,
    RecoveryCodeModel,
    SignInChallengeModel,
    TotpFactorModel,
)
from adapters.postgres.models.recovery import EmailChangeModel, OneTimeTokenModel
from adapters.postgres.models.sessions import SessionModel
from adapters.postgres.models.sign_in_attempts import SignInAttemptModel
from domain.transfer.user_import import MAX_SOURCE_ID_LENGTH
from domain.users.email_address import MAX_LENGTH
from domain.users.profile import MAX_DISPLAY_NAME_LENGTH, MAX_LOCALE_LENGTH
from domain.users.suspension import MAX_REASON_LENGTH

# What few users are, so that they are found among many: see `user_pages`.
_RARE = {
    "suspended": text("suspended_at IS NOT NULL"),
    "leaving": text("deletion_due_at IS NOT NULL"),
    "with_roles": text("roles <> '{}'::text[]"),
    "unverified": text("email_verified_at IS NULL"),
}
RARE_ORDERS = {"created_at": ("created_at", "id"), "email": ("email_canonical",)}


class UserModel(Base):
    """One row a user. `email_canonical` decides who is who; `email` is how the person writes it."""

    __tablename__ = "users"
    __table_args__ = (
        at_most("email_canonical", MAX_LENGTH),
        at_most("email", MAX_LENGTH),
        at_most("display_name", MAX_DISPLAY_NAME_LENGTH),
        at_most("locale", MAX_LOCALE_LENGTH),
        at_most("suspension_reason", MAX_REASON_LENGTH),
        at_most("source_id", MAX_SOURCE_ID_LENGTH),
        Index("ix_users_suspended_until", "suspended_until", postgresql_where=text("suspended_until IS NOT NULL")),
        Index("ix_users_admins", "id", postgresql_where=text("'admin' = ANY (roles)")),
        Index("ix_users_deletion_due_at", "deletion_due_at", postgresql_where=text("deletion_due_at IS NOT NULL")),
        Index(None, "created_at", "id"),
        Index(None, "last_seen_at", "id"),
        *(
            Index(f"ix_users_{name}_by_{order}", *keys, postgresql_where=which)
            for name, which in _RARE.items()
            for order, keys in RARE_ORDERS.items()
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    email: Mapped[str]
    # In the order of bytes, which no release of a C library changes, and in which prefixes are ranges.
    email_canonical: Mapped[str] = mapped_column(Text(collation="C"), unique=True)
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    display_name: Mapped[str | None]
    locale: Mapped[str | None]
    roles: Mapped[list[str]]
    security_epoch: Mapped[int]
    suspended_at: Mapped[datetime | None]
    suspended_until: Mapped[datetime | None]
    suspension_reason: Mapped[str | None]
    deletion_due_at: Mapped[datetime | None]
    source_id: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    # The release before does not know it.
    last_seen_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    sessions: Mapped[list[SessionModel]] = relationship(back_populates="user", lazy="raise")
    one_time_tokens: Mapped[list[OneTimeTokenModel]] = relationship(back_populates="user", lazy="raise")
    email_changes: Mapped[list[EmailChangeModel]] = relationship(back_populates="user", lazy="raise")
    messages: Mapped[list[MessageModel]] = relationship(back_populates="user", lazy="raise")
    sign_in_attempts: Mapped[list[SignInAttemptModel]] = relationship(back_populates="user", lazy="raise")
    totp_factors: Mapped[list[TotpFactorModel]] = relationship(back_populates="user", lazy="raise")
    passkeys: Mapped[list[PasskeyModel]] = relationship(back_populates="user", lazy="raise")
    passkey_ceremonies: Mapped[list[PasskeyCeremonyModel]] = relationship(back_populates="user", lazy="raise")
    recovery_codes: Mapped[list[RecoveryCodeModel]] = relationship(back_populates="user", lazy="raise")
    factor_resets: Mapped[list[FactorResetModel]] = relationship(back_populates="user", lazy="raise")
    sign_in_challenges: Mapped[list[SignInChallengeModel]] = relationship(back_populates="user", lazy="raise")
    idempotent_requests: Mapped[list[IdempotentRequestModel]] = relationship(back_populates="user", lazy="raise")
