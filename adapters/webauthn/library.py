"""The library `webauthn`, which checks signatures, and all else that it knows of once more.

Loaded by the first passkey that is checked: with what it brings along it takes a tenth of a second, and 6 MB.
"""

from collections.abc import Sequence

from webauthn import verify_authentication_response, verify_registration_response
from webauthn.helpers import bytes_to_base64url, decode_credential_public_key, decoded_public_key_to_cryptography
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorAssertionResponse,
    AuthenticatorAttestationResponse,
    RegistrationCredential,
)

from adapters.webauthn.answers import Assertion, Creation
from application.ports.passkeys import PasskeyFault, PasskeyRefused


def expect_creation(
    creation: Creation, *, challenge: bytes, rp_id: str, origins: Sequence[str], algorithms: Sequence[int]
) -> None:
    """Raises: PasskeyRefused."""
    try:
        verify_registration_response(
            credential=RegistrationCredential(
                id=bytes_to_base64url(creation.credential_id),
                raw_id=creation.credential_id,
                response=AuthenticatorAttestationResponse(
                    client_data_json=creation.client_data, attestation_object=creation.attestation_object
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            supported_pub_key_algs=[COSEAlgorithmIdentifier(algorithm) for algorithm in algorithms],
        )
    except WebAuthnException as error:
        raise PasskeyRefused(PasskeyFault.MALFORMED) from error


def expect_key(public_key: bytes) -> None:
    """Raises: PasskeyRefused, where the numbers are no key: a point that is not on the curve."""
    try:
        decoded_public_key_to_cryptography(decode_credential_public_key(public_key))
    except (WebAuthnException, ValueError) as error:
        raise PasskeyRefused(PasskeyFault.PUBLIC_KEY) from error


def expect_signature(
    assertion: Assertion,
    *,
    challenge: bytes,
    rp_id: str,
    origins: Sequence[str],
    public_key: bytes,
    user_verification: bool,
) -> None:
    """Raises: PasskeyRefused."""
    try:
        verify_authentication_response(
            credential=AuthenticationCredential(
                id=bytes_to_base64url(assertion.credential_id),
                raw_id=assertion.credential_id,
                response=AuthenticatorAssertionResponse(
                    client_data_json=assertion.client_data,
                    authenticator_data=assertion.authenticator_data,
                    signature=assertion.signature,
                    user_handle=assertion.user_handle,
                ),
            ),
            expected_challenge=challenge,
            expected_rp_id=rp_id,
            expected_origin=list(origins),
            credential_public_key=public_key,
            # It would judge the counter before the signature, and anybody could raise the alarm over a copied passkey.
            credential_current_sign_count=0,
            require_user_verification=user_verification,
        )
    except WebAuthnException as error:
        raise PasskeyRefused(PasskeyFault.SIGNATURE) from error
