"""From settings to policies: the few frozen values that the core knows of them."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import timedelta

from adapters.crypto.common_passwords import CommonPasswords
from application.messages.links import LinkPolicy
from application.sessions.access_tokens import AccessTokenPolicy
from application.throttling.throttle_policy import ThrottlePolicy
from application.transfer.import_users import ImportPolicy
from application.upkeep.purge_expired import RetentionPolicy
from application.users.register_user import RegistrationPolicy
from domain.idempotency.idempotent_request import IdempotencyPolicy
from domain.messages.message import MessagePolicy
from domain.mfa.factor import MfaPolicy
from domain.recovery.one_time_token import OneTimeTokenPolicy
from domain.sessions.session import SessionPolicy
from domain.signing.signing_key import SigningPolicy
from domain.users.deletion import DeletionPolicy
from domain.users.password_policy import PasswordPolicy
from entrypoints.settings import Registration, Settings


def policies_of(settings: Settings) -> Sequence[tuple[type, object]]:
    """Every policy, by its class."""
    return (
        (IdempotencyPolicy, IdempotencyPolicy()),
        (ImportPolicy, ImportPolicy()),
        (MessagePolicy, MessagePolicy()),
        (OneTimeTokenPolicy, OneTimeTokenPolicy()),
        (
            RetentionPolicy,
            RetentionPolicy(
                sessions=timedelta(days=settings.session_retention_days),
                messages=timedelta(days=settings.message_retention_days),
                sign_in_attempts=timedelta(days=settings.sign_in_attempt_retention_days),
                audit_personal=timedelta(days=settings.audit_personal_retention_days),
            ),
        ),
        (ThrottlePolicy, throttle_policy(settings)),
        (LinkPolicy, LinkPolicy(base_url=settings.effective_links_url)),
        (DeletionPolicy, DeletionPolicy(grace=timedelta(seconds=settings.deletion_grace_seconds))),
        (
            RegistrationPolicy,
            RegistrationPolicy(
                open=settings.registration is not Registration.CLOSED,
                discreet=settings.registration is Registration.DISCREET,
            ),
        ),
        (
            SessionPolicy,
            SessionPolicy(
                absolute_lifetime=timedelta(seconds=settings.session_lifetime_seconds),
                idle_lifetime=timedelta(seconds=settings.session_idle_lifetime_seconds),
                refresh_grace=timedelta(seconds=settings.refresh_grace_seconds),
                limit_per_user=settings.session_limit_per_user,
                needs_verified_email=settings.registration is Registration.DISCREET,
            ),
        ),
        (
            MfaPolicy,
            MfaPolicy(
                issuer=settings.service_name or settings.public_host,
                required=settings.mfa_required,
                reset_hold=timedelta(seconds=settings.factor_reset_hold_seconds),
            ),
        ),
        (SigningPolicy, SigningPolicy(retiring_for=_longer_than(settings.access_token_lifetime_seconds))),
        (
            AccessTokenPolicy,
            AccessTokenPolicy(
                issuer=settings.public_url,
                audience=settings.public_url,
                lifetime=timedelta(seconds=settings.access_token_lifetime_seconds),
            ),
        ),
        (
            PasswordPolicy,
            PasswordPolicy(is_common=CommonPasswords.shipped().includes, min_length=settings.password_min_length),
        ),
    )


def throttle_policy(settings: Settings) -> ThrottlePolicy:
    """Every limit, by its name."""
    limits = (limit.name for limit in fields(ThrottlePolicy))
    return ThrottlePolicy(**{name: getattr(settings, f"limit_{name}") for name in limits})


def _longer_than(token_lifetime_seconds: int) -> timedelta:
    """For how long a key is believed after it was retired.

    For another minute processes that have not noticed sign with it, and clocks differ.
    """
    return timedelta(seconds=token_lifetime_seconds) + timedelta(minutes=5)
