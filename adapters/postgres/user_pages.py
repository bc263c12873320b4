"""Pages of users: one range of one index for each, whatever is asked.

What holds for few users has indexes of those few, in two of the orders. All else is looked for in a window of
MOST_EXAMINED entries: whoever wants more goes on from its end.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, any_, func, literal_column, or_, select, tuple_
from sqlalchemy.engine import Row

from adapters.postgres.models import UserModel
from adapters.postgres.models.users import RARE_ORDERS
from application.paging.page import MOST_EXAMINED
from application.ports.user_search import UserFilter, UserOrder, UserPosition, UserStatus
from domain.ids import UserId

_USERS = UserModel.__table__
_KEYS = {
    "created_at": (_USERS.c.created_at, _USERS.c.id),
    "last_seen_at": (_USERS.c.last_seen_at, _USERS.c.id),
    # Nobody shares an address.
    "email": (_USERS.c.email_canonical,),
}
_IS_SUSPENDED = _USERS.c.suspended_at.is_not(None)
_IS_LEAVING = _USERS.c.deletion_due_at.is_not(None)
# To the letter as in the indexes: a parameter would not be found to imply them.
_HAS_ROLES = _USERS.c.roles != literal_column("'{}'::text[]")
# No address has it, and all that begin with a prefix come before the prefix with it.
_LAST = "\U0010ffff"


def page_of_users(
    only: UserFilter, order: UserOrder, after: UserPosition | None, limit: int
) -> Select[*tuple[Any, ...]]:
    """The rows of a page and one more if there are more, in order.

    `admitted` says whether the filter admits a row; `entry` is its number in the window. A row that is not admitted is
    the last of the window.
    """
    keys = _KEYS[order.key]
    in_order = [key.desc() if order.backwards else key.asc() for key in keys]
    rare = list(_rare(only))
    # One of them has an index in this order, if any has.
    driving, others = (rare[:1], rare[1:]) if order.key in RARE_ORDERS else ([], rare)
    range_, rest = [*_range(only, order), *driving], [*others, *_rest(only, order)]
    if after is not None:
        range_.append(_behind(keys, after, order))
    entry = func.row_number().over(order_by=in_order).label("entry")
    window = (
        select(_USERS, entry, (and_(*rest) if rest else literal_column("true")).label("admitted"))
        .where(*range_)
        .order_by(*in_order)
        .limit(MOST_EXAMINED if rest else limit + 1)
        .subquery("examined")
    )
    again = [window.c[key.name] for key in keys]
    return (
        select(window)
        .where(or_(window.c.admitted, window.c.entry == MOST_EXAMINED))
        .order_by(*(key.desc() if order.backwards else key.asc() for key in again))
        .limit(limit + 1)
    )


def position_of(row: Row[*tuple[Any, ...]], order: UserOrder) -> UserPosition:
    """Where a list stands after that row."""
    key: datetime | str = row.email_canonical if order.key == "email" else getattr(row, order.key)
    return UserPosition(key, UserId(row.id))


def _behind(keys: tuple[Any, ...], after: UserPosition, order: UserOrder) -> ColumnElement[bool]:
    here = tuple_(*(keys)) if len(keys) > 1 else keys[0]
    there = tuple_(after.key, after.user_id) if len(keys) > 1 else after.key
    behind: ColumnElement[bool] = here < there if order.backwards else here > there
    return behind


def _rare(only: UserFilter) -> Iterator[ColumnElement[bool]]:
    """What is asked that holds for few: those of the fewest first."""
    if only.status is UserStatus.SUSPENDED:
        yield _IS_SUSPENDED
    if only.status is UserStatus.DELETION_SCHEDULED:
        yield _IS_LEAVING
    if only.role is not None:
        yield _HAS_ROLES
    if only.email_verified is False:
        yield _USERS.c.email_verified_at.is_(None)


def _range(only: UserFilter, order: UserOrder) -> Iterator[ColumnElement[bool]]:
    """What is asked of that which decides the order: a part of the index."""
    if order.key == "created_at":
        yield from _created(only)
    if order.key == "last_seen_at":
        yield from _seen(only)
    if order.key == "email":
        yield from _prefix(only)


def _rest(only: UserFilter, order: UserOrder) -> Iterator[ColumnElement[bool]]:
    """What is asked of each entry."""
    if order.key != "created_at":
        yield from _created(only)
    if order.key != "last_seen_at":
        yield from _seen(only)
    if order.key != "email":
        yield from _prefix(only)
    if only.status is UserStatus.ACTIVE:
        yield ~_IS_SUSPENDED & ~_IS_LEAVING
    if only.role is not None:
        yield any_(_USERS.c.roles) == only.role
    if only.email_verified is True:
        yield _USERS.c.email_verified_at.is_not(None)


def _created(only: UserFilter) -> Iterator[ColumnElement[bool]]:
    if only.created_after is not None:
        yield _USERS.c.created_at >= only.created_after
    if only.created_before is not None:
        yield _USERS.c.created_at < only.created_before


def _seen(only: UserFilter) -> Iterator[ColumnElement[bool]]:
    if only.last_seen_before is not None:
        yield _USERS.c.last_seen_at < only.last_seen_before


def _prefix(only: UserFilter) -> Iterator[ColumnElement[bool]]:
    if only.email_prefix is not None:
        yield _USERS.c.email_canonical >= only.email_prefix
        yield _USERS.c.email_canonical < only.email_prefix + _LAST
