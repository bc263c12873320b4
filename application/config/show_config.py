"""Telling clients what their forms need to know."""

from dataclasses import dataclass

from application.users.register_user import RegistrationMode, RegistrationPolicy
from domain.mfa.factor import MfaPolicy
from domain.mfa.requirement import MfaRequirement
from domain.users.password_policy import MAX_LENGTH, PasswordPolicy


@dataclass(frozen=True, slots=True)
class Locales:
    """The languages that mail is written in, as BCP 47 tags."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicConfig:
    """What is no secret: lengths are in characters."""

    registration: RegistrationMode
    password_min_length: int
    password_max_length: int
    locales: tuple[str, ...]
    mfa_required: MfaRequirement


class ShowConfig:
    """Say who may register, which passwords are taken, who needs a second factor, and which languages are spoken."""

    def __init__(
        self, registration: RegistrationPolicy, passwords: PasswordPolicy, locales: Locales, mfa: MfaPolicy
    ) -> None:
        self._registration = registration
        self._passwords = passwords
        self._locales = locales
        self._mfa = mfa

    async def execute(self) -> PublicConfig:
        """The same for everybody, for as long as the process runs."""
        return PublicConfig(
            registration=self._registration.mode,
            password_min_length=self._passwords.min_length,
            password_max_length=MAX_LENGTH,
            locales=self._locales.tags,
            mfa_required=self._mfa.required,
        )
