"""What can be set about how much is too much."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode

from application.throttling.throttle_policy import ThrottlePolicy
from domain.throttling.throttle import Limit
from entrypoints.setting_formats import checked_redis_url, parsed_limit

_LIMITS = ThrottlePolicy()
type _Limit = Annotated[Limit, NoDecode, BeforeValidator(parsed_limit)]


class ThrottleSettings(BaseSettings):
    """The limits, as in `30/minute`, where they are counted, and whom to believe about where callers are."""

    redis_url: Annotated[SecretStr, AfterValidator(checked_redis_url)] | None = Field(
        default=None, description="redis://user:password@host:6379/0, where counters are; left out: in PostgreSQL"
    )
    trusted_proxies: int = Field(
        default=0, ge=0, le=10, description="proxies of yours in front of us: so many of X-Forwarded-For are believed"
    )
    limit_credentials: _Limit = Field(
        default=_LIMITS.credentials, description="wrong passwords and tokens of one network"
    )
    limit_refreshes: _Limit = Field(
        default=_LIMITS.refreshes, description="wrong refresh tokens of one network, at each process"
    )
    limit_registrations: _Limit = Field(default=_LIMITS.registrations, description="registrations of one network")
    limit_all_registrations: _Limit = Field(default=_LIMITS.all_registrations, description="registrations altogether")
    limit_mails: _Limit = Field(default=_LIMITS.mails, description="requests of one network that mail is sent for")
    limit_passkey_options: _Limit = Field(
        default=_LIMITS.passkey_options,
        description="questions to passkeys that one network asks for, at each process",
    )
    limit_all_mails: _Limit = Field(default=_LIMITS.all_mails, description="requests that mail is sent for, altogether")
    limit_guesses: _Limit = Field(default=_LIMITS.guesses, description="wrong passwords for one user from one network")
    limit_all_guesses: _Limit = Field(
        default=_LIMITS.all_guesses, description="wrong passwords for one user from all strangers together"
    )
    limit_guesses_on_known_device: _Limit = Field(
        default=_LIMITS.guesses_on_known_device,
        description="wrong passwords for one user on a device where they have signed in before",
    )
    limit_factor_guesses: _Limit = Field(
        default=_LIMITS.factor_guesses,
        description="wrong codes of second factors for one user, wherever they are shown",
    )
