"""What happens to many users at once. About nobody in particular, so `user_id` is None."""

from dataclasses import dataclass

from domain.events import Event
from domain.ids import UserId, UserImportId


@dataclass(frozen=True, slots=True, kw_only=True)
class UserImportStarted(Event):
    """Somebody brought a file of users: `by` an operator, or at the command line. `mode` says whether it counts."""

    name = "users.import_started"
    import_id: UserImportId
    mode: str
    by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersImported(Event):
    """Users came to be: `count` of the rows from `first_row` to `last_row`. The import's report says who."""

    name = "users.imported"
    import_id: UserImportId
    first_row: int
    last_row: int
    count: int
    by: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersExported(Event):
    """Somebody began to take all users along: `by` an operator, or at the command line."""

    name = "users.exported"
    with_hashes: bool
    by: UserId | None
