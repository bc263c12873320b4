"""How much is too much."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domain.throttling.throttle import Limit

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class Rate(StrEnum):
    """What a request counts as, for the network that it comes from."""

    CREDENTIALS = "credentials"
    """A proof of who one is, or of owning a mailbox. Only those that fail count."""
    REFRESH = "refresh"
    """A refresh token. Only those that fail count, and each process counts for itself: they cannot be guessed."""
    REGISTRATION = "registration"
    """Wanting to become a user."""
    MAIL = "mail"
    """Something that mail is sent for."""
    PASSKEY_OPTIONS = "passkey_options"
    """What a passkey is asked: it is kept for some minutes. Each process counts for itself."""

    @property
    def forgives(self) -> bool:
        """Whether a request that succeeds has cost nothing."""
        return self in {Rate.CREDENTIALS, Rate.REFRESH}


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlePolicy:
    """Every limit.

    The first five are for one network, `all_registrations` and `all_mails` for everybody together. Guesses are
    passwords that somebody tries for one user: from one network, from all strangers together, and on each device that
    the user has signed in on, which has its own so that strangers cannot use up the owner's (LG-06). `factor_guesses`
    are codes that somebody tries for one user and who knows the password, or has a session: six digits are few.
    """

    credentials: Limit = Limit(30, _MINUTE)
    refreshes: Limit = Limit(600, _MINUTE)
    registrations: Limit = Limit(20, _HOUR)
    mails: Limit = Limit(20, _HOUR)
    passkey_options: Limit = Limit(120, _MINUTE)
    all_registrations: Limit = Limit(600, _MINUTE)
    all_mails: Limit = Limit(1200, _MINUTE)
    guesses: Limit = Limit(5, 5 * _MINUTE)
    all_guesses: Limit = Limit(50, 4 * _HOUR)
    guesses_on_known_device: Limit = Limit(10, _HOUR)
    factor_guesses: Limit = Limit(10, 8 * _HOUR)
