"""What the authenticator says: authenticator data (L3 §6.1), and the object that it comes in at a creation (§6.5)."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from adapters.webauthn.binary import BinaryReader, Item
from application.ports.passkeys import PasskeyFault, PasskeyRefused

# L3 §6.1, flags. Bits 1 and 5 are reserved, and may be anything.
_USER_PRESENT = 1 << 0
_USER_VERIFIED = 1 << 2
_BACKUP_ELIGIBLE = 1 << 3
_BACKED_UP = 1 << 4
_HAS_CREDENTIAL = 1 << 6
_HAS_EXTENSIONS = 1 << 7


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCredential:
    """Attested credential data: the passkey that was made. `members` is what `public_key` says."""

    aaguid: UUID
    id: bytes
    public_key: bytes
    members: dict[int | str, Item]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticatorData:
    """What was said, taken apart. `credential` is None where no passkey was made."""

    rp_id_hash: bytes
    user_present: bool
    user_verified: bool
    backup_eligible: bool
    backed_up: bool
    sign_count: int
    credential: NewCredential | None

    def expect(self, *, rp_id: str, user_verification: bool) -> None:
        """Raises: PasskeyRefused, unless it was said to us, about somebody who was there."""
        if self.rp_id_hash != hashlib.sha256(rp_id.encode()).digest():
            raise PasskeyRefused(PasskeyFault.RELYING_PARTY)
        if not self.user_present:
            raise PasskeyRefused(PasskeyFault.USER_ABSENT)
        if user_verification and not self.user_verified:
            raise PasskeyRefused(PasskeyFault.USER_NOT_VERIFIED)
        if self.backed_up and not self.backup_eligible:
            raise PasskeyRefused(PasskeyFault.BACKUP_STATE)


def read_attestation_object(content: bytes) -> bytes:
    """The authenticator data in an attestation object that attests nothing, which is what we ask for.

    Any other format is somebody's word for it that nobody here would check (PK-09).

    Raises: PasskeyRefused.
    """
    reader = BinaryReader(content)
    members = reader.take_map()
    reader.expect_end()
    match members:
        case {"fmt": str(format), "attStmt": dict(statement), "authData": bytes(data)}:
            if format != "none" or statement:
                raise PasskeyRefused(PasskeyFault.ATTESTATION)
            return data
    raise PasskeyRefused(PasskeyFault.MALFORMED)


def read_authenticator_data(content: bytes) -> AuthenticatorData:
    """Raises: PasskeyRefused, also where something is missing, or is left over."""
    reader = BinaryReader(content)
    rp_id_hash = reader.take(32)
    flags = reader.take_number(1)
    sign_count = reader.take_number(4)
    credential = _new_credential(reader, content) if flags & _HAS_CREDENTIAL else None
    if flags & _HAS_EXTENSIONS:
        reader.take_map()
    reader.expect_end()
    return AuthenticatorData(
        rp_id_hash=rp_id_hash,
        user_present=bool(flags & _USER_PRESENT),
        user_verified=bool(flags & _USER_VERIFIED),
        backup_eligible=bool(flags & _BACKUP_ELIGIBLE),
        backed_up=bool(flags & _BACKED_UP),
        sign_count=sign_count,
        credential=credential,
    )


def _new_credential(reader: BinaryReader, content: bytes) -> NewCredential:
    aaguid = UUID(bytes=reader.take(16))
    credential_id = reader.take(reader.take_number(2))
    start = reader.position
    members = reader.take_map()
    return NewCredential(aaguid=aaguid, id=credential_id, public_key=content[start : reader.position], members=members)
