"""What passes through a mailbox."""

from pydantic import ConfigDict, Field, SecretStr

from adapters.http.schemas.base import RequestSchema
from adapters.http.schemas.users import MAX_TYPED_PASSWORD_LENGTH
from application.recovery.verify_email import MailedCode
from domain.errors import InvalidFields, Violation
from domain.users.email_address import MAX_LENGTH

_MAX_TOKEN_LENGTH = 256
_MAX_CODE_LENGTH = 32
_SECRET = "2pYyPqyVPdIoxqDhGZHWsbVfRV1mO0WuSN9Gd1AbPcE_1b2bb378"  # noqa: S105  (an example)


class EmailVerificationRequest(RequestSchema):
    """The address to prove."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.com"}]})

    email: str = Field(max_length=MAX_LENGTH)


class EmailVerificationConfirmation(RequestSchema):
    """What was mailed: the token of the link, or address and code.

    Without the password, or a session of the user as `Authorization`, the password is discarded: somebody else may have
    registered the address.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"token": f"hp_ev_{_SECRET}"}, {"email": "ada@example.com", "code": "24681357"}]
        }
    )

    token: SecretStr | None = Field(default=None, max_length=_MAX_TOKEN_LENGTH)
    email: str | None = Field(default=None, max_length=MAX_LENGTH)
    code: SecretStr | None = Field(default=None, max_length=_MAX_CODE_LENGTH, description="Spaces do not matter.")
    password: SecretStr | None = Field(default=None, max_length=MAX_TYPED_PASSWORD_LENGTH)

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

    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ada@example.com"}]})

    email: str = Field(max_length=MAX_LENGTH)


class PasswordResetConfirmation(RequestSchema):
    """The token of the link, and the password from now on."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": f"hp_pr_{_SECRET}", "new_password": "a louder harbour at noon"}]}
    )

    token: SecretStr = Field(max_length=_MAX_TOKEN_LENGTH)
    new_password: SecretStr = Field(max_length=MAX_TYPED_PASSWORD_LENGTH)


class EmailChangeRequest(RequestSchema):
    """Where mail shall go."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"new_email": "ada@example.org"}]})

    new_email: str = Field(max_length=MAX_LENGTH)


class EmailChangeToken(RequestSchema):
    """The token of the link."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": f"hp_ec_{_SECRET}"}]})

    token: SecretStr = Field(max_length=_MAX_TOKEN_LENGTH)
