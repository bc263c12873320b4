"""How somebody proved who they are."""

from collections.abc import Sequence
from enum import StrEnum


class AuthenticationMethod(StrEnum):
    """By the names of RFC 8176, where it has one."""

    PASSWORD = "pwd"  # noqa: S105  (the registered name of the method)
    ONE_TIME_PASSWORD = "otp"  # noqa: S105  (the registered name of the method)
    POSSESSION_OF_KEY = "pop"
    """A passkey. Whether its key is kept in hardware is what nothing proves."""
    RECOVERY_CODE = "recovery_code"
    """Looked up on a list. RFC 8176 has no name for that."""
    MULTIPLE_FACTORS = "mfa"
    """Two of different kinds: said beside those that they were."""

    @property
    def is_second_factor(self) -> bool:
        """Whether it is something that the user has, and not what they know."""
        return self is AuthenticationMethod.POSSESSION_OF_KEY or self in _CODES


_CODES = {AuthenticationMethod.ONE_TIME_PASSWORD, AuthenticationMethod.RECOVERY_CODE}


def with_factor(
    methods: Sequence[AuthenticationMethod], factor: AuthenticationMethod
) -> tuple[AuthenticationMethod, ...]:
    """What was proven before, and this factor in place of any other code that was."""
    if factor in methods:
        # A passkey that was two factors when the session began is not less for having been shown again.
        return tuple(methods)
    multiple = AuthenticationMethod.MULTIPLE_FACTORS
    first = [method for method in methods if method not in _CODES and method is not multiple]
    return (*first, factor, multiple) if first else (factor,)
