"""Second factors."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Path
from pydantic import Field, JsonValue, SecretStr
from pydantic.config import JsonDict

from adapters.http.schemas.base import SAMPLE_ID, RequestSchema, ResponseSchema, Timestamp, examples
from adapters.http.schemas.passkey_answer import ANSWERED, PasskeyAnswered
from adapters.http.schemas.sessions import Transport
from adapters.http.schemas.users import TypedPassword
from application.mfa.ask_for_factor import FactorRequired
from application.mfa.enrol_totp import OfferedTotp
from application.mfa.factor_proof import CodeProof, FactorProof
from application.mfa.list_factors import Factors
from domain.errors import InvalidFields, Violation
from domain.mfa.factor import MAX_FACTOR_NAME_LENGTH, Factor, FactorKind
from domain.mfa.passkey import Passkey
from domain.mfa.recovery_code import RecoveryCodeSecret

# Far more than a code has: what is no code is said to be none, and not to be too long.
_MAX_CODE_LENGTH = 64
_TYPED_TOTP = "Six digits; spaces do not matter."
_TYPED_RECOVERY_CODE = "In either case, with dashes or without."
_URI = "otpauth://totp/example.com:ada@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=example.com"
CODES: list[JsonValue] = ["7F3K-Q2MX-9RTB-0ABC-1DEF", "9M2X-4T8V-PQ6R-W3YZ-7HJK"]

PASSKEY: JsonDict = {
    "id": SAMPLE_ID,
    "kind": "passkey",
    "name": "Telephone",
    "created_at": "2026-01-31T12:00:00.000000Z",
    "last_used_at": "2026-01-31T12:00:00.000000Z",
    "signs_in_alone": True,
    "backed_up": True,
}
_TOTP: JsonDict = PASSKEY | {"kind": "totp", "signs_in_alone": False, "backed_up": False}

FactorReference = Annotated[UUID, Path(examples=[SAMPLE_ID])]
FactorName = Annotated[
    str | None,
    Field(
        max_length=MAX_FACTOR_NAME_LENGTH, json_schema_extra={"minLength": 1}, description="What its owner calls it."
    ),
]
TypedCode = Annotated[SecretStr, Field(min_length=1, max_length=_MAX_CODE_LENGTH)]
RecoveryCodes = Annotated[
    list[str], Field(description="Ten, each good once in place of a factor; none where there are some of before.")
]


def _only(field: str, of: tuple[str, ...]) -> JsonDict:
    """This field, and none of the others."""
    own = "object" if field == "passkey" else "string"
    given: JsonDict = {other: {"type": own if other == field else "null"} for other in of}
    return {"required": [field], "properties": given}


_KINDS = ("totp_code", "recovery_code", "passkey")
_WITH_PASSWORD = ("password", *_KINDS)


class ShownFactor(RequestSchema):
    """A second factor: one of them."""

    totp_code: TypedCode | None = Field(default=None, description=_TYPED_TOTP)
    recovery_code: TypedCode | None = Field(default=None, description=_TYPED_RECOVERY_CODE)
    passkey: PasskeyAnswered | None = Field(default=None, description="What a passkey answered that was asked for it.")

    def proofs(self) -> list[FactorProof]:
        """All that was sent."""
        proofs: list[FactorProof] = []
        if self.totp_code is not None:
            proofs.append(CodeProof(FactorKind.TOTP, self.totp_code.get_secret_value()))
        if self.recovery_code is not None:
            proofs.append(CodeProof(FactorKind.RECOVERY_CODE, self.recovery_code.get_secret_value()))
        if self.passkey is not None:
            proofs.append(self.passkey.answer())
        return proofs


class ChallengeAnswer(ShownFactor):
    """A second factor: one of them."""

    model_config = examples(
        {"totp_code": "492039"},
        {"recovery_code": CODES[0]},
        {"passkey": ANSWERED},
        oneOf=[_only(kind, of=_KINDS) for kind in _KINDS],
    )

    transport: Transport = "body"

    def proof(self) -> FactorProof:
        """What was sent.

        Raises: InvalidFields for several, or none.
        """
        match self.proofs():
            case [proof]:
                return proof
        raise InvalidFields([Violation("", "one_factor", "Send one of totp_code, recovery_code and passkey.")])


class Reauthentication(ShownFactor):
    """A new proof: a second factor of whoever has one, and of everybody else the password."""

    model_config = examples(
        {"password": "a quiet harbour at dawn"},
        {"totp_code": "492039"},
        {"recovery_code": CODES[0]},
        {"passkey": ANSWERED},
        oneOf=[_only(kind, of=_WITH_PASSWORD) for kind in _WITH_PASSWORD],
    )

    password: TypedPassword | None = None

    def proof(self) -> str | FactorProof:
        """What was sent.

        Raises: InvalidFields for several, or none.
        """
        match self.password, self.proofs():
            case None, [factor]:
                return factor
            case SecretStr() as password, []:
                return password.get_secret_value()
        raise InvalidFields([Violation("", "one_proof", "Send one of password, totp_code, recovery_code and passkey.")])


class FactorRequiredResponse(ResponseSchema):
    """The password was right, and that is not enough."""

    model_config = examples(
        {
            "status": "factor_required",
            "challenge_id": SAMPLE_ID,
            "factors": ["totp", "passkey", "recovery_code"],
            "expires_in": 600,
        }
    )

    status: Literal["factor_required"]
    challenge_id: UUID = Field(description="For `POST /v1/sessions/challenges/{challenge_id}`. To be told to nobody.")
    factors: list[str] = Field(description="What it can be answered with; there may be more kinds than you know.")
    expires_in: int = Field(description="How long it can be answered, in seconds.")

    @classmethod
    def of(cls, asked: FactorRequired) -> Self:
        return cls(
            status="factor_required",
            challenge_id=asked.challenge_id,
            factors=list(asked.kinds),
            expires_in=int(asked.expires_in.total_seconds()),
        )


class TotpCreate(RequestSchema):
    """Which app it is."""

    model_config = examples({"name": "Telephone"}, {})

    name: FactorName = None


class TotpOffer(ResponseSchema):
    """What the app has to be told, shown this once."""

    model_config = examples(
        {
            "id": SAMPLE_ID,
            "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
            "otpauth_uri": _URI,
            "qr_svg": '<svg xmlns="http://www.w3.org/2000/svg" width="164" height="164" class="segno"></svg>',
        }
    )

    id: UUID = Field(description="For `POST …/totp/{factor_id}/activation`, within an hour.")
    secret: str = Field(description="Base32, for typing it in.")
    otpauth_uri: str
    qr_svg: str = Field(description="The same as a QR code: an SVG document.")

    @classmethod
    def of(cls, offered: OfferedTotp, *, qr_svg: str) -> Self:
        return cls(id=offered.factor.id, secret=offered.secret, otpauth_uri=offered.uri, qr_svg=qr_svg)


class TotpActivation(RequestSchema):
    """What the app shows."""

    model_config = examples({"totp_code": "492039"})

    totp_code: TypedCode = Field(description=_TYPED_TOTP)


class RecoveryCodesResponse(ResponseSchema):
    """Recovery codes, shown this once."""

    model_config = examples({"recovery_codes": CODES})

    recovery_codes: RecoveryCodes

    @classmethod
    def of(cls, codes: Sequence[RecoveryCodeSecret]) -> Self:
        return cls(recovery_codes=[code.text for code in codes])


class FactorResponse(ResponseSchema):
    """A second factor."""

    model_config = examples(_TOTP, PASSKEY)

    id: UUID
    kind: str = Field(
        description="`totp` is an authenticator app, or `passkey`; there may be more kinds than you know."
    )
    name: str | None
    created_at: Timestamp
    last_used_at: Timestamp | None
    signs_in_alone: bool = Field(description="Whether it opens a session without a password: passkeys may.")
    backed_up: bool = Field(description="Whether its owner has it on other devices too, as far as it says.")

    @classmethod
    def of(cls, factor: Factor) -> Self:
        passkey = factor if isinstance(factor, Passkey) else None
        return cls(
            id=factor.id,
            kind=factor.kind,
            name=factor.name,
            created_at=factor.created_at,
            last_used_at=factor.last_used_at,
            signs_in_alone=passkey is not None and passkey.signs_in_alone,
            backed_up=passkey is not None and passkey.public.backed_up,
        )


class FactorList(ResponseSchema):
    """Second factors, oldest first. All of them: there is a limit for each user."""

    model_config = examples({"items": [_TOTP], "recovery_codes_left": 10, "next_cursor": None})

    items: list[FactorResponse]
    recovery_codes_left: int
    next_cursor: None = None

    @classmethod
    def of(cls, factors: Factors) -> Self:
        items = [FactorResponse.of(factor) for factor in factors.items]
        return cls(items=items, recovery_codes_left=factors.recovery_codes_left)
