"""Passkeys without cryptography."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from application.ports.passkeys import (
    BrowserAnswer,
    PasskeyFault,
    PasskeyProof,
    PasskeyRefused,
    Passkeys,
)
from domain.mfa.passkey import PasskeyPublicKey

_RP_ID = "memory.example"
_CREATION = "create"
_ASSERTION = "get"


@dataclass(slots=True, kw_only=True)
class MemoryAuthenticator:
    """Has one passkey, and answers what it is set to. `key` stands for both halves of a key pair. For tests."""

    credential_id: bytes = b"passkey of memory"
    key: str = "key of memory"
    user_handle: bytes | None = None
    user_verified: bool = True
    sign_count: int = 0
    backup_eligible: bool = True
    backed_up: bool = True

    def create(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create()` answers. From now on the passkey is that user's."""
        self.user_handle = _decoded(options["user"]["id"])
        return self._answer(_CREATION, options["challenge"])

    def get(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.get()` answers. It names the user, unless `user_handle` is None."""
        return self._answer(_ASSERTION, options["challenge"])

    def _answer(self, ceremony: str, challenge: str) -> dict[str, Any]:
        return {
            "id": _encoded(self.credential_id),
            "rawId": _encoded(self.credential_id),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "ceremony": ceremony,
                "challenge": challenge,
                "key": self.key,
                "userHandle": _encoded(self.user_handle) if self.user_handle is not None else None,
                "userVerified": self.user_verified,
                "signCount": self.sign_count,
                "backupEligible": self.backup_eligible,
                "backedUp": self.backed_up,
            },
        }


class MemoryPasskeys:
    """Believes answers, which nothing has signed, as far as they fit what was asked."""

    def creation_options(
        self,
        *,
        challenge: bytes,
        user_handle: bytes,
        name: str,
        display_name: str,
        exclude: Sequence[PasskeyPublicKey],
    ) -> dict[str, object]:
        return {
            "rp": {"id": _RP_ID, "name": _RP_ID},
            "user": {"id": _encoded(user_handle), "name": name, "displayName": display_name},
            "challenge": _encoded(challenge),
            "pubKeyCredParams": [],
            "excludeCredentials": [_descriptor(passkey) for passkey in exclude],
        }

    def request_options(
        self, *, challenge: bytes, allow: Sequence[PasskeyPublicKey] = (), user_verification: bool
    ) -> dict[str, object]:
        return {
            "challenge": _encoded(challenge),
            "rpId": _RP_ID,
            "allowCredentials": [_descriptor(passkey) for passkey in allow],
            "userVerification": "required" if user_verification else "preferred",
        }

    def credential_id(self, answer: BrowserAnswer) -> bytes | None:
        match answer:
            case {"id": str(id)}:
                return _decoded(id)
        return None

    def verify_creation(self, answer: BrowserAnswer, *, challenge: bytes) -> PasskeyPublicKey:
        said = self._said(answer, _CREATION, challenge)
        return PasskeyPublicKey(
            credential_id=said.credential_id,
            public_key=_public(said.key),
            sign_count=said.sign_count,
            backup_eligible=said.backup_eligible,
            backed_up=said.backed_up,
            user_verified=said.user_verified,
        )

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
        said = self._said(answer, _ASSERTION, challenge)
        handles = [user_handle] if discovered else [user_handle, None]
        for holds, fault in [
            (said.credential_id == of.credential_id, PasskeyFault.OTHER_PASSKEY),
            (said.user_handle in handles, PasskeyFault.USER_HANDLE),
            (said.user_verified or not user_verification, PasskeyFault.USER_NOT_VERIFIED),
            (_public(said.key) == of.public_key, PasskeyFault.SIGNATURE),
            (said.backup_eligible == of.backup_eligible, PasskeyFault.BACKUP_CHANGED),
            (said.sign_count > of.sign_count or said.sign_count == of.sign_count == 0, PasskeyFault.COUNTER),
        ]:
            if not holds:
                raise PasskeyRefused(fault)
        return PasskeyProof(sign_count=said.sign_count, backed_up=said.backed_up, user_verified=said.user_verified)

    def _said(self, answer: BrowserAnswer, ceremony: str, challenge: bytes) -> MemoryAuthenticator:
        """The authenticator as it was when it answered."""
        match answer:
            case {
                "type": "public-key",
                "rawId": str(raw_id),
                "response": {
                    "ceremony": str(answered_ceremony),
                    "challenge": str(answered_challenge),
                    "key": str(key),
                    "userVerified": bool(user_verified),
                    "signCount": int(sign_count),
                    "backupEligible": bool(backup_eligible),
                    "backedUp": bool(backed_up),
                },
            } if answer.get("id") == raw_id and (credential_id := _decoded(raw_id)) is not None:
                if answered_ceremony != ceremony:
                    raise PasskeyRefused(PasskeyFault.CEREMONY)
                if answered_challenge != _encoded(challenge):
                    raise PasskeyRefused(PasskeyFault.CHALLENGE)
                if backed_up and not backup_eligible:
                    raise PasskeyRefused(PasskeyFault.BACKUP_STATE)
                return MemoryAuthenticator(
                    credential_id=credential_id,
                    key=key,
                    user_handle=_user_handle(answer),
                    user_verified=user_verified,
                    sign_count=sign_count,
                    backup_eligible=backup_eligible,
                    backed_up=backed_up,
                )
        raise PasskeyRefused(PasskeyFault.MALFORMED)


def _user_handle(answer: BrowserAnswer) -> bytes | None:
    match answer:
        case {"response": {"userHandle": str(user_handle)}}:
            return _decoded(user_handle)
    return None


def _descriptor(passkey: PasskeyPublicKey) -> dict[str, object]:
    return {"type": "public-key", "id": _encoded(passkey.credential_id), "transports": list(passkey.transports)}


def _public(key: str) -> bytes:
    return key.encode(errors="replace")


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: str) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None


def _is_passkeys(memory: MemoryPasskeys) -> Passkeys:
    return memory
