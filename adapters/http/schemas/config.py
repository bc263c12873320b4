"""How this service is set up."""

from typing import Self

from pydantic import ConfigDict, Field

from adapters.http.schemas.base import ResponseSchema
from application.config.show_config import PublicConfig
from application.users.register_user import RegistrationMode


class PasswordRules(ResponseSchema):
    """Lengths in characters. There are no rules of composition."""

    min_length: int
    max_length: int


class ConfigResponse(ResponseSchema):
    """What clients may know."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "registration": "open",
                    "password": {"min_length": 15, "max_length": 256},
                    "locales": ["de", "en"],
                }
            ]
        }
    )

    registration: RegistrationMode
    password: PasswordRules
    locales: list[str] = Field(description="Languages that mail is written in (BCP 47).")

    @classmethod
    def of(cls, config: PublicConfig) -> Self:
        return cls(
            registration=config.registration,
            password=PasswordRules(min_length=config.password_min_length, max_length=config.password_max_length),
            locales=list(config.locales),
        )
