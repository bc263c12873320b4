"""Leaving."""

from dataclasses import dataclass
from datetime import timedelta

from domain.errors import Conflict


class DeletionNotScheduled(Conflict):
    """The user is not about to be deleted."""

    code = "deletion_not_scheduled"
    title = "No deletion is scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionPolicy:
    """How long users who asked to be deleted can change their mind."""

    grace: timedelta = timedelta(days=14)
