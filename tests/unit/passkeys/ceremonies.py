"""Both ceremonies, from asking to checking."""

from collections.abc import Mapping
from typing import Any

from adapters.webauthn.passkeys import WebAuthnPasskeys
from application.ports.passkeys import PasskeyProof
from domain.mfa.passkey import PasskeyPublicKey
from tests.authenticator import ORIGIN, SoftwareAuthenticator

RP_ID = "accounts.example.com"
USER = b"the handle of Ada"
CHALLENGE = bytes(range(32))
PASSKEYS = WebAuthnPasskeys(rp_id=RP_ID, rp_name="Example", origins=[ORIGIN])


def created(authenticator: SoftwareAuthenticator) -> dict[str, Any]:
    return authenticator.create(
        PASSKEYS.creation_options(challenge=CHALLENGE, user_handle=USER, name="ada", display_name="Ada", exclude=[])
    )


def got(authenticator: SoftwareAuthenticator) -> dict[str, Any]:
    return authenticator.get(PASSKEYS.request_options(challenge=CHALLENGE, user_verification=True))


def checked_creation(answer: Mapping[str, Any]) -> PasskeyPublicKey:
    return PASSKEYS.verify_creation(answer, challenge=CHALLENGE)


def checked_assertion(answer: Mapping[str, Any], of: PasskeyPublicKey) -> PasskeyProof:
    return PASSKEYS.verify_assertion(
        answer, challenge=CHALLENGE, of=of, user_handle=USER, discovered=True, user_verification=True
    )
