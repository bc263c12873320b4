"""Who has to have a second factor."""

from enum import StrEnum

from domain.errors import Conflict, NotAllowed
from domain.users.user import User


class MfaRequirement(StrEnum):
    """Whom second factors are required of. The values are stable."""

    NONE = "none"
    ADMINS = "admins"
    EVERYONE = "everyone"

    def binds(self, user: User) -> bool:
        """Whether this user has to have one, as they are now."""
        match self:
            case MfaRequirement.NONE:
                return False
            case MfaRequirement.ADMINS:
                return user.is_admin
            case MfaRequirement.EVERYONE:
                return True


class FactorEnrolmentRequired(NotAllowed):
    """A user who has to have a second factor, and has none, does nothing before that (MF-07)."""

    code = "factor_enrolment_required"
    title = "A second factor is required of you; enrol one first"


class FactorIsRequired(Conflict):
    """Whoever has to have a second factor keeps the last one."""

    code = "factor_is_required"
    title = "A second factor is required of you, and this is the last one; enrol another one first"
