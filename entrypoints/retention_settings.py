"""What can be set about how long things are kept that are over."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

from application.upkeep.purge_expired import RetentionPolicy

_KEPT = RetentionPolicy()
type _Days = Annotated[int, Field(ge=1, le=3650)]


class RetentionSettings(BaseSettings):
    """Days, each from when something is over; what is not named here has times of its own (docs/privacy.md)."""

    session_retention_days: _Days = Field(
        default=_KEPT.sessions.days, description="how long sessions that are over are kept, in days"
    )
    message_retention_days: _Days = Field(
        default=_KEPT.messages.days, description="how long messages that were sent or given up are kept, in days"
    )
    sign_in_attempt_retention_days: _Days = Field(
        default=_KEPT.sign_in_attempts.days, description="how long it is kept why sign-ins were refused, in days"
    )
    audit_personal_retention_days: _Days = Field(
        default=_KEPT.audit_personal.days,
        description="how long network addresses and reasons stay in the audit log, in days; its entries stay for ever",
    )
