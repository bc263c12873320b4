"""How this service is set up."""

from typing import Self

from pydantic import Field

from adapters.http.schemas.base import ResponseSchema, examples
from application.config.show_config import PublicConfig
from application.users.register_user import RegistrationMode
from domain.mfa.requirement import MfaRequirement


class PasswordRules(ResponseSchema):
    """Lengths in characters. There are no rules of composition."""

    min_length: int
    max_length: int


class ConfigResponse(ResponseSchema):
    """What clients may know."""

    model_config = examples(
        {
            "registration": "open",
            "password": {"min_length": 15, "max_length": 256},
            "locales": ["de", "en"],
            "mfa_required": "none",
        }
    )

    registration: RegistrationMode
    password: PasswordRules
    locales: list[str] = Field(description="Languages that mail is written in (BCP 47).")
    mfa_required: MfaRequirement = Field(
        description="Who has to enrol a second factor before anything else: nobody, operators, or everyone."
    )

    @classmethod
    def of(cls, config: PublicConfig) -> Self:
        return cls(
            registration=config.registration,
            password=PasswordRules(min_length=config.password_min_length, max_length=config.password_max_length),
            locales=list(config.locales),
            mfa_required=config.mfa_required,
        )
