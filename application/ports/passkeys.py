"""Passkeys, as the standard has them (Web Authentication Level 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from domain.mfa.passkey import PasskeyPublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyProof:
    """A checked assertion: how the passkey stands now, and whether its holder was verified (PIN, finger, face)."""

    sign_count: int
    backed_up: bool
    user_verified: bool


class PasskeyFault(StrEnum):
    """What is wrong with an answer. The first that was found; those from `SIGNATURE` on are found last.

    So `BACKUP_CHANGED` and `COUNTER` are only ever said of answers that the passkey itself has signed.
    """

    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    OTHER_PASSKEY = "other_passkey"
    USER_HANDLE = "user_handle"
    CEREMONY = "ceremony"
    CHALLENGE = "challenge"
    ORIGIN = "origin"
    CROSS_ORIGIN = "cross_origin"
    RELYING_PARTY = "relying_party"
    USER_ABSENT = "user_absent"
    USER_NOT_VERIFIED = "user_not_verified"
    BACKUP_STATE = "backup_state"
    ATTESTATION = "attestation"
    ALGORITHM = "algorithm"
    PUBLIC_KEY = "public_key"
    SIGNATURE = "signature"
    BACKUP_CHANGED = "backup_changed"
    COUNTER = "counter"
    REMOVED = "removed"
    """It was the user's until a moment ago."""


class PasskeyRefused(ValueError):
    """The answer of the browser does not hold. `reason` is for the audit log; callers are not told."""

    def __init__(self, reason: PasskeyFault) -> None:
        super().__init__(reason.value)
        self.reason = reason


type BrowserAnswer = Mapping[str, object]
"""A credential as `PublicKeyCredential.toJSON()` writes it."""


class Passkeys(Protocol):
    """Makes what browsers are asked, and checks what they answer. Keeps nothing: challenges are the caller's to keep.

    Nothing here is slow, or waits. Whatever an answer is, checking it raises nothing but `PasskeyRefused`.
    """

    def creation_options(
        self,
        *,
        challenge: bytes,
        user_handle: bytes,
        name: str,
        display_name: str,
        exclude: Sequence[PasskeyPublicKey],
    ) -> dict[str, object]:
        """What `parseCreationOptionsFromJSON` reads: a discoverable credential, its holder verified if that can be.

        `user_handle` has 1 to 64 random bytes, and is kept by the authenticator, which shows both names.
        """
        ...

    def request_options(
        self, *, challenge: bytes, allow: Sequence[PasskeyPublicKey] = (), user_verification: bool
    ) -> dict[str, object]:
        """What `parseRequestOptionsFromJSON` reads. Without `allow`, whichever passkey the browser has for us."""
        ...

    def credential_id(self, answer: BrowserAnswer) -> bytes | None:
        """Which passkey an answer is of, before anything is checked; None where it cannot be one."""
        ...

    def verify_creation(self, answer: BrowserAnswer, *, challenge: bytes) -> PasskeyPublicKey:
        """The new passkey. That nobody else has it already is for the caller to see to.

        Raises: PasskeyRefused.
        """
        ...

    def verify_assertion(
        self,
        answer: BrowserAnswer,
        *,
        challenge: bytes,
        of: PasskeyPublicKey,
        user_handle: bytes,
        discovered: bool,
        user_verification: bool,
    ) -> PasskeyProof:
        """That the holder of that passkey answered to that challenge.

        `user_handle` is that of the passkey's owner. An answer that names somebody else is refused, and where the
        passkey was `discovered`, asked for without `allow`, one that names nobody as well. Has the counter not
        moved on, somebody may have a copy of the passkey; the caller sees to it that of two answers at once one counts.

        Raises: PasskeyRefused, also where `user_verification` is asked for and was not done.
        """
        ...
