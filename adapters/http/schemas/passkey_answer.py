"""What passkeys answer, as Web Authentication Level 3 has it (§5.1)."""

from pydantic import Field, JsonValue
from pydantic.config import JsonDict

from adapters.http.schemas.base import SAMPLE_ID, JsonId, RequestSchema, examples
from application.mfa.factor_proof import PasskeyAnswer
from domain.ids import CeremonyId

ANSWERED: JsonDict = {
    "ceremony_id": SAMPLE_ID,
    "credential": {
        "id": "cGFzc2tleQ",
        "rawId": "cGFzc2tleQ",
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "AA", "userHandle": "AA"},
    },
}
CREATED: JsonDict = {
    "ceremony_id": SAMPLE_ID,
    "credential": {
        "id": "cGFzc2tleQ",
        "rawId": "cGFzc2tleQ",
        "type": "public-key",
        "clientExtensionResults": {},
        "response": {"clientDataJSON": "e30", "attestationObject": "oA", "transports": ["internal"]},
    },
}


class PasskeyAnswered(RequestSchema):
    """What a passkey answered, and to what."""

    model_config = examples(ANSWERED)

    ceremony_id: JsonId = Field(description="Of the answer that the options came with. To be told to nobody.")
    credential: dict[str, JsonValue] = Field(
        description="The credential that the browser made or got, by its `toJSON()`."
    )

    def answer(self) -> PasskeyAnswer:
        """What was sent."""
        return PasskeyAnswer(CeremonyId(self.ceremony_id), self.credential)
