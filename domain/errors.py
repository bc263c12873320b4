"""Every refusal of the core, by what the caller can do about it.

DomainError
├── InvalidInput       a value breaks a rule: mend it
├── NotAuthenticated   nobody known is asking: sign in
├── NotAllowed         known, and not entitled
├── NotFound           absent, or not visible to the caller
├── Conflict           the present state stands against it
├── Stale              the caller's copy is older than ours: read again
├── TooManyAttempts    come back after `retry_after`
└── Unavailable        our fault and passing: come back after `retry_after`

Concrete refusals live beside their aggregate. Each has a `code`, which callers may rely on, and a `title`, one
sentence for people. Neither they nor `detail` ever repeat a submitted value. A bug is not a DomainError.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

# So many are put into the sentence for people; all are in `violations`.
_DETAILS = 3


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that one field breaks. `field` is the name that callers use for it; `code` is stable."""

    field: str
    code: str
    detail: str


class DomainError(Exception):
    """A refusal. Only subclasses with a `code` of their own are raised.

    `reference` is what operators find out by why it was, where the refusal itself must not tell.
    """

    code: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, detail: str | None = None, *, reference: str | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.reference = reference


class InvalidInput(DomainError):
    """A value breaks a rule. `violations` names those that were found, at least one."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__(" ".join(violation.detail for violation in self.violations[:_DETAILS]))


class NotAuthenticated(DomainError):
    """Nobody known is asking."""


class NotAllowed(DomainError):
    """The caller is known, and not entitled."""


class NotFound(DomainError):
    """Absent, or not visible to the caller."""


class Conflict(DomainError):
    """The present state stands against it."""


class Stale(DomainError):
    """The caller acts on an older state than the present one."""


class _Passing(DomainError):
    """A refusal that ends by itself after `retry_after`."""

    def __init__(self, *, retry_after: timedelta, detail: str | None = None, reference: str | None = None) -> None:
        super().__init__(detail, reference=reference)
        self.retry_after = retry_after


class TooManyAttempts(_Passing):
    """The caller has tried too often."""


class Unavailable(_Passing):
    """Something we depend on is not there or has no capacity left."""


class InvalidFields(InvalidInput):
    """Fields that are malformed whatever the state of the world."""

    code = "invalid_input"
    title = "The request has invalid fields"


class StaleVersion(Stale):
    """The caller's copy is not the present version."""

    code = "stale_version"
    title = "This has changed since you read it; read it again and repeat"


class ConcurrentUpdate(Conflict):
    """Another writer was faster: what was loaded is no longer what is stored."""

    code = "concurrent_update"
    title = "This was changed at the same moment by someone else; read it again and repeat"


def concrete_errors(category: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """All refusals below `category` that have a code, each once."""
    for subclass in category.__subclasses__():
        if "code" in vars(subclass):
            yield subclass
        yield from concrete_errors(subclass)
