"""What can be set about second factors."""

from pydantic import Field
from pydantic_settings import BaseSettings

from domain.mfa.requirement import MfaRequirement


class MfaSettings(BaseSettings):
    """Who has to have one, and how long operators wait before they take one away."""

    mfa_required: MfaRequirement = Field(
        default=MfaRequirement.NONE,
        description="who has to enrol a second factor before anything else: none, admins or everyone",
    )
    factor_reset_hold_seconds: int = Field(
        default=0,
        ge=0,
        le=7 * 86_400,
        description="how long a reset of a second factor by an operator waits for its owner to object; 0 is not at all",
    )
