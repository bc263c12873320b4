"""Passkeys by Web Authentication Level 3: what browsers are asked, and the ceremonies of §7.1 and §7.2.

The library leaves some of their steps out, and takes more spellings than there are; `docs/decisions/passkeys.md` says
what is done where.
"""

from collections.abc import Sequence

from adapters.webauthn.answers import (
    encoded,
    expect_client_data,
    read_assertion,
    read_creation,
    read_credential_id,
)
from adapters.webauthn.authenticator_data import read_attestation_object, read_authenticator_data
from adapters.webauthn.public_keys import ALGORITHMS, expect_public_key
from application.ports.passkeys import (
    BrowserAnswer,
    PasskeyFault,
    PasskeyProof,
    PasskeyRefused,
    Passkeys,
)
from domain.mfa.passkey import PasskeyPublicKey

TIMEOUT_MILLISECONDS = 5 * 60 * 1000
_CREATION = "webauthn.create"
_ASSERTION = "webauthn.get"


class WebAuthnPasskeys:
    """`Passkeys` for one relying party.

    `rp_id` is a domain, which passkeys are bound to for ever; `origins` are the pages on which they may be used, as
    browsers write them: `https://accounts.example.com`, with no slash and no port that goes without saying.
    """

    def __init__(self, *, rp_id: str, rp_name: str, origins: Sequence[str]) -> None:
        self._rp_id = rp_id
        self._rp_name = rp_name
        self._origins = tuple(origins)

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
            "rp": {"id": self._rp_id, "name": self._rp_name},
            "user": {"id": encoded(user_handle), "name": name, "displayName": display_name},
            "challenge": encoded(challenge),
            "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
            "timeout": TIMEOUT_MILLISECONDS,
            "excludeCredentials": [_descriptor(passkey) for passkey in exclude],
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,  # for browsers that know Level 1 only
                "userVerification": "preferred",
            },
            "attestation": "none",
        }

    def request_options(
        self, *, challenge: bytes, allow: Sequence[PasskeyPublicKey] = (), user_verification: bool
    ) -> dict[str, object]:
        return {
            "challenge": encoded(challenge),
            "timeout": TIMEOUT_MILLISECONDS,
            "rpId": self._rp_id,
            "allowCredentials": [_descriptor(passkey) for passkey in allow],
            "userVerification": "required" if user_verification else "preferred",
        }

    def credential_id(self, answer: BrowserAnswer) -> bytes | None:
        try:
            return read_credential_id(answer)
        except PasskeyRefused:
            return None

    def verify_creation(self, answer: BrowserAnswer, *, challenge: bytes) -> PasskeyPublicKey:
        creation = read_creation(answer)
        expect_client_data(creation.client_data, ceremony=_CREATION, challenge=challenge, origins=self._origins)
        data = read_authenticator_data(read_attestation_object(creation.attestation_object))
        data.expect(rp_id=self._rp_id, user_verification=False)
        made = data.credential
        if made is None:
            raise PasskeyRefused(PasskeyFault.MALFORMED)
        if made.id != creation.credential_id:
            raise PasskeyRefused(PasskeyFault.OTHER_PASSKEY)
        expect_public_key(made.members)

        # Loaded here, by the first: see there.
        from adapters.webauthn import library  # noqa: PLC0415

        library.expect_key(made.public_key)
        library.expect_creation(
            creation, challenge=challenge, rp_id=self._rp_id, origins=self._origins, algorithms=ALGORITHMS
        )
        return PasskeyPublicKey(
            credential_id=made.id,
            public_key=made.public_key,
            sign_count=data.sign_count,
            backup_eligible=data.backup_eligible,
            backed_up=data.backed_up,
            user_verified=data.user_verified,
            transports=creation.transports,
            aaguid=str(made.aaguid) if made.aaguid.int else "",
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
        assertion = read_assertion(answer)
        if assertion.credential_id != of.credential_id:
            raise PasskeyRefused(PasskeyFault.OTHER_PASSKEY)
        if assertion.user_handle != user_handle and (assertion.user_handle is not None or discovered):
            raise PasskeyRefused(PasskeyFault.USER_HANDLE)
        expect_client_data(assertion.client_data, ceremony=_ASSERTION, challenge=challenge, origins=self._origins)
        data = read_authenticator_data(assertion.authenticator_data)
        data.expect(rp_id=self._rp_id, user_verification=user_verification)
        if data.credential is not None:
            raise PasskeyRefused(PasskeyFault.MALFORMED)

        # Loaded here, by the first: see there.
        from adapters.webauthn import library  # noqa: PLC0415

        library.expect_signature(
            assertion,
            challenge=challenge,
            rp_id=self._rp_id,
            origins=self._origins,
            public_key=of.public_key,
            user_verification=user_verification,
        )
        # From here on the passkey itself is known to have said it.
        if data.backup_eligible != of.backup_eligible:
            raise PasskeyRefused(PasskeyFault.BACKUP_CHANGED)
        if (data.sign_count or of.sign_count) and data.sign_count <= of.sign_count:
            raise PasskeyRefused(PasskeyFault.COUNTER)
        return PasskeyProof(sign_count=data.sign_count, backed_up=data.backed_up, user_verified=data.user_verified)


def _descriptor(passkey: PasskeyPublicKey) -> dict[str, object]:
    return {"type": "public-key", "id": encoded(passkey.credential_id), "transports": list(passkey.transports)}


def _is_passkeys(passkeys: WebAuthnPasskeys) -> Passkeys:
    return passkeys
