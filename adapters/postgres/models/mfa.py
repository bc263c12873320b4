"""Second factors, and sign-ins that wait for one."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from adapters.postgres.models.base import Base, at_most
from domain.mfa.factor import MAX_FACTOR_NAME_LENGTH
from domain.mfa.recovery_code import HANDLE_LENGTH
from domain.sessions.session import MAX_NETWORK_ADDRESS_LENGTH, MAX_USER_AGENT_LENGTH
from domain.users.suspension import MAX_REASON_LENGTH

if TYPE_CHECKING:
    from adapters.postgres.models.users import UserModel


class TotpFactorModel(Base):
    """One row an authenticator app. Its secret is sealed for this very row."""

    __tablename__ = "totp_factors"
    __table_args__ = (
        at_most("name", MAX_FACTOR_NAME_LENGTH),
        Index("ix_totp_factors_pending", "created_at", postgresql_where=text("activated_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str | None]
    sealed_secret: Mapped[str]
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    last_used_at: Mapped[datetime | None]

    user: Mapped["UserModel"] = relationship(back_populates="totp_factors", lazy="raise")


class PasskeyModel(Base):
    """One row a passkey. There is no secret in it."""

    __tablename__ = "passkeys"
    __table_args__ = (
        at_most("name", MAX_FACTOR_NAME_LENGTH),
        # As long as they may be (L3 §5.1.3), which still fits an index.
        CheckConstraint("octet_length(credential_id) <= 1023", name="credential_id_length"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str | None]
    user_handle: Mapped[bytes]
    credential_id: Mapped[bytes] = mapped_column(unique=True)
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(BigInteger)
    backup_eligible: Mapped[bool]
    backed_up: Mapped[bool]
    user_verified: Mapped[bool]
    transports: Mapped[list[str]]
    aaguid: Mapped[str]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]

    user: Mapped["UserModel"] = relationship(back_populates="passkeys", lazy="raise")


class PasskeyCeremonyModel(Base):
    """One row what a passkey was asked, until it answers."""

    __tablename__ = "passkey_ceremonies"
    __table_args__ = (UniqueConstraint("purpose", "bound_to"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[str]
    challenge: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    bound_to: Mapped[UUID | None]
    user_handle: Mapped[bytes | None]

    user: Mapped["UserModel | None"] = relationship(back_populates="passkey_ceremonies", lazy="raise")


class RecoveryCodeModel(Base):
    """One row a code. The code itself is never stored, only a password hash of it."""

    __tablename__ = "recovery_codes"
    __table_args__ = (CheckConstraint(f"char_length(handle) = {HANDLE_LENGTH}", name="handle_length"),)

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    handle: Mapped[str] = mapped_column(primary_key=True)
    code_hash: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    user: Mapped["UserModel"] = relationship(back_populates="recovery_codes", lazy="raise")


class FactorResetModel(Base):
    """One row a second factor, of whichever kind, that an operator is to take away."""

    __tablename__ = "factor_resets"
    __table_args__ = (at_most("reason", MAX_REASON_LENGTH),)

    factor_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    requested_by: Mapped[UUID | None]
    reason: Mapped[str]
    requested_at: Mapped[datetime]
    due_at: Mapped[datetime] = mapped_column(index=True)

    user: Mapped["UserModel"] = relationship(back_populates="factor_resets", lazy="raise")


class SignInChallengeModel(Base):
    """One row a sign-in whose first factor was right."""

    __tablename__ = "sign_in_challenges"
    __table_args__ = (
        at_most("user_agent", MAX_USER_AGENT_LENGTH),
        at_most("network_address", MAX_NETWORK_ADDRESS_LENGTH),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    security_epoch: Mapped[int]
    methods: Mapped[list[str]]
    user_agent: Mapped[str | None]
    network_address: Mapped[str | None]
    known_device: Mapped[UUID | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    finished_at: Mapped[datetime | None]

    user: Mapped["UserModel"] = relationship(back_populates="sign_in_challenges", lazy="raise")
