"""The identities of aggregates: one type each, so that two of them cannot be swapped.

Those over UUID are UUIDv7 (RFC 9562 section 5.7): they sort by creation time. None is ever a secret that opens
something; that of a challenge is told to nobody but whoever has shown the first factor.
"""

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
NOBODY = UserId(UUID(int=0))
"""Whom to do the same work for where there is no user."""

SessionId = NewType("SessionId", UUID)
DeviceId = NewType("DeviceId", UUID)
FactorId = NewType("FactorId", UUID)
ChallengeId = NewType("ChallengeId", UUID)
CeremonyId = NewType("CeremonyId", UUID)
OneTimeTokenId = NewType("OneTimeTokenId", UUID)
EmailChangeId = NewType("EmailChangeId", UUID)
MessageId = NewType("MessageId", UUID)
AuditEntryId = NewType("AuditEntryId", UUID)
UserImportId = NewType("UserImportId", UUID)
KeyId = NewType("KeyId", str)
"""The `kid` of a signing key: random, and without meaning."""
