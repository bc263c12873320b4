"""Passkeys: what browsers are to ask of them, and what becomes of the answer."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from adapters.http.schemas.base import SAMPLE_ID, JsonId, RequestSchema, ResponseSchema, examples
from adapters.http.schemas.factors import CODES, PASSKEY, FactorName, FactorResponse, RecoveryCodes
from adapters.http.schemas.passkey_answer import ANSWERED, CREATED, PasskeyAnswered
from adapters.http.schemas.sessions import DeviceToken, Transport
from application.mfa.passkey_ceremonies import AskedPasskey
from application.mfa.register_passkey import RegisteredPasskey
from domain.ids import ChallengeId


class PasskeyAsk(RequestSchema):
    """What a passkey is wanted for: to sign in with nothing else or, with a challenge, as a second factor."""

    model_config = examples({}, {"challenge_id": SAMPLE_ID})

    challenge_id: JsonId | None = Field(default=None, description="Of the answer `factor_required`.")

    def challenge(self) -> ChallengeId | None:
        """The challenge, if there is one."""
        return ChallengeId(self.challenge_id) if self.challenge_id is not None else None


class PasskeyOptions(ResponseSchema):
    """What a browser is to ask of passkeys, good for one answer."""

    model_config = examples(
        {
            "ceremony_id": SAMPLE_ID,
            "options": {
                "challenge": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                "rpId": "example.com",
                "allowCredentials": [],
                "userVerification": "required",
                "timeout": 300_000,
            },
            "expires_in": 300,
        }
    )

    ceremony_id: UUID = Field(description="To be sent with the answer, and told to nobody.")
    options: dict[str, Any] = Field(
        description=(
            "For `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`, and that as "
            "`publicKey` for `navigator.credentials.create` or `get`."
        )
    )
    expires_in: int = Field(description="How long it can be answered, in seconds.")

    @classmethod
    def of(cls, asked: AskedPasskey) -> Self:
        return cls(
            ceremony_id=asked.ceremony_id,
            options=dict(asked.options),
            expires_in=int(asked.expires_in.total_seconds()),
        )


class PasskeySessionCreate(RequestSchema):
    """Who wants to sign in with a passkey alone."""

    model_config = examples({"passkey": ANSWERED})

    passkey: PasskeyAnswered
    transport: Transport = "body"
    device_token: DeviceToken = None


class PasskeyCreate(RequestSchema):
    """A passkey that a browser has made."""

    model_config = examples({"passkey": CREATED, "name": "Telephone"})

    passkey: PasskeyAnswered
    name: FactorName = None


class PasskeyUpdate(RequestSchema):
    """What to call it; null is nothing."""

    model_config = examples({"name": "Telephone"})

    name: FactorName


class RegisteredPasskeyResponse(ResponseSchema):
    """The new passkey, and recovery codes, which are shown this once."""

    model_config = examples({"passkey": PASSKEY, "recovery_codes": CODES})

    passkey: FactorResponse
    recovery_codes: RecoveryCodes

    @classmethod
    def of(cls, registered: RegisteredPasskey) -> Self:
        return cls(
            passkey=FactorResponse.of(registered.passkey), recovery_codes=[code.text for code in registered.codes]
        )
