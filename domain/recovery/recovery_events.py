"""What strangers and owners ask for by address. About nobody where nobody has that address; the answer is the same."""

from dataclasses import dataclass

from domain.events import Event, Outcome
from domain.ids import UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordResetRequested(Event):
    """Somebody wants to choose another password for an address.

    `security_epoch` is the user's then: whatever guards the user and changes later, ends the wish too (RC-04). `by` is
    the operator who asked for it, if one did.
    """

    name = "password_reset.requested"
    network_address: str | None
    security_epoch: int | None
    by: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailVerificationRequested(Event):
    """Somebody wants to prove an address, again."""

    name = "email_verification.requested"
    network_address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailProofRefused(Event):
    """Somebody proved an address, and did not know the password that they gave with it."""

    name = "email_verification.proof_refused"
    outcome = Outcome.REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationRepeated(Event):
    """Somebody tried to register an address that a user has."""

    name = "registration.repeated"
    outcome = Outcome.REFUSED
    network_address: str | None
