"""How somebody proved who they are."""

from collections.abc import Sequence
from enum import StrEnum


class AuthenticationMethod(StrEnum):
    """By the names of RFC 8176, where it has one."""

    PASSWORD = "pwd"  # noqa: S105  (the registered name of the method)
    ONE_TIME_PASSWORD = "otp"  # noqa: S105  (the registered name of the method)
    RECOVERY_CODE = "recovery_code"
    """Looked up on a list. RFC 8176 has no name for that."""
    MULTIPLE_FACTORS = "mfa"
    """Two of different kinds: said beside those that they were."""

    @property
    def is_second_factor(self) -> bool:
        """Whether it is something that the user has, and not what they know."""
        return self in {AuthenticationMethod.ONE_TIME_PASSWORD, AuthenticationMethod.RECOVERY_CODE}


def with_factor(
    methods: Sequence[AuthenticationMethod], factor: AuthenticationMethod
) -> tuple[AuthenticationMethod, ...]:
    """What was proven before, and this factor in place of any other that was."""
    multiple = AuthenticationMethod.MULTIPLE_FACTORS
    first = [method for method in methods if not method.is_second_factor and method is not multiple]
    return (*first, factor, multiple) if first else (factor,)
