"""What passes through a mailbox."""

from pydantic import Field, SecretStr
from pydantic.config import JsonDict

from adapters.http.schemas.base import RequestSchema, examples
from adapters.http.schemas.users import Email, NewPassword, TypedPassword
from application.recovery.verify_email import MailedCode
from domain.errors import InvalidFields, Violation

_MAX_TOKEN_LENGTH = 256
_MAX_CODE_LENGTH = 32
_SECRET = "2pYyPqyVPdIoxqDhGZHWsbVfRV1mO0WuSN9Gd1AbPcE_1b2bb378"  # noqa: S105  (an example)


def _proof(*fields: str) -> JsonDict:
    """These fields, and none of the other proof."""
    given: JsonDict = {field: {"type": "string" if field in fields else "null"} for field in ("token", "email", "code")}
    return {"required": list(fields), "properties": given}


class EmailVerificationRequest(RequestSchema):
    """The address to prove."""

    model_config = examples({"email": "ada@example.com"})

    email: Email


class EmailVerificationConfirmation(RequestSchema):
    """What was mailed: the token of the link, or address and code.

    Without the password, or a session of the user as `Authorization`, the password is discarded: somebody else may have
    registered the address.
    """

    model_config = examples(
        {"token": f"hp_ev_{_SECRET}"},
        {"email": "ada@example.com", "code": "24681357"},
        oneOf=[_proof("token"), _proof("email", "code")],
    )

    token: SecretStr | None = Field(default=None, max_length=_MAX_TOKEN_LENGTH)
    email: Email | None = None
    code: SecretStr | None = Field(default=None, max_length=_MAX_CODE_LENGTH, description="Spaces do not matter.")
    password: TypedPassword | None = None

    def proof(self) -> str | MailedCode:
        """The one of the two that was sent.

        Raises: InvalidFields for both, neither, or half of one.
        """
        match self.token, self.email, self.code:
            case SecretStr() as token, None, None:
                return token.get_secret_value()
            case None, str(email), SecretStr() as code:
                return MailedCode(email=email, code="".join(code.get_secret_value().split()))
        raise InvalidFields([Violation("", "token_or_code", "Send either token, or email and code.")])


class PasswordResetRequest(RequestSchema):
    """Whose password."""

    model_config = examples({"email": "ada@example.com"})

    email: Email


class PasswordResetConfirmation(RequestSchema):
    """The token of the link, and the password from now on."""

    model_config = examples({"token": f"hp_pr_{_SECRET}", "new_password": "a louder harbour at noon"})

    token: SecretStr = Field(max_length=_MAX_TOKEN_LENGTH)
    new_password: NewPassword


class EmailChangeRequest(RequestSchema):
    """Where mail shall go."""

    model_config = examples({"new_email": "ada@example.org"})

    new_email: Email


class EmailChangeToken(RequestSchema):
    """The token of the link."""

    model_config = examples({"token": f"hp_ec_{_SECRET}"})

    token: SecretStr = Field(max_length=_MAX_TOKEN_LENGTH)
