"""Pages of users: one range of one index for each, whatever is asked.

What holds for few users has indexes of those few, in two of the orders. All else is looked for in a window of
MOST_EXAMINED entries: whoever wants more goes on from its end.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    String,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)

from adapters.postgres.models import UserModel
from adapters.postgres.models.users import RARE_ORDERS
from adapters.postgres.prepared import Prepared
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


# Of the filter, what is compared with a value that is asked for.
_COMPARED = ("role", "email_prefix", "created_after", "created_before", "last_seen_before")
_MOST_FORMS = 256


@dataclass(frozen=True, slots=True)
class _Form:
    """What is asked, but for the values: pages that have it in common have one statement."""

    status: UserStatus | None
    email_verified: bool | None
    compared: frozenset[str]
    order: UserOrder
    goes_on: bool


def page_of_users(
    only: UserFilter, order: UserOrder, after: UserPosition | None, limit: int
) -> tuple[Prepared, Mapping[str, object]]:
    """The rows of a page and one more if there are more, in order: the statement, and its values.

    `admitted` says whether the filter admits a row; `entry` is its number in the window. A row that is not admitted is
    the last of the window.
    """
    compared = {name: value for name in _COMPARED if (value := getattr(only, name)) is not None}
    form = _Form(only.status, only.email_verified, frozenset(compared), order, after is not None)
    values: dict[str, object] = {**compared, "rows": limit + 1}
    if only.email_prefix is not None:
        values["past_prefix"] = only.email_prefix + _LAST
    if after is not None:
        values["behind_key"] = after.key
        if len(_KEYS[order.key]) > 1:
            values["behind_id"] = after.user_id
    return _statement(form), values


@lru_cache(_MOST_FORMS)
def _statement(form: _Form) -> Prepared:
    order = form.order
    keys = _KEYS[order.key]
    in_order = [key.desc() if order.backwards else key.asc() for key in keys]
    rare = list(_rare(form))
    # One of them has an index in this order, if any has.
    driving, others = (rare[:1], rare[1:]) if order.key in RARE_ORDERS else ([], rare)
    range_, rest = [*_range(form), *driving], [*others, *_rest(form)]
    if form.goes_on:
        range_.append(_behind(keys, order))
    entry = func.row_number().over(order_by=in_order).label("entry")
    rows = bindparam("rows", type_=Integer)
    window = (
        select(_USERS, entry, (and_(*rest) if rest else literal_column("true")).label("admitted"))
        .where(*range_)
        .order_by(*in_order)
        .limit(MOST_EXAMINED if rest else rows)
        .subquery("examined")
    )
    again = [window.c[key.name] for key in keys]
    return Prepared(
        select(window)
        .where(or_(window.c.admitted, window.c.entry == MOST_EXAMINED))
        .order_by(*(key.desc() if order.backwards else key.asc() for key in again))
        .limit(rows)
    )


def position_of(row: Any, order: UserOrder) -> UserPosition:  # noqa: ANN401  (has the columns of a page)
    """Where a list stands after that row."""
    key: datetime | str = row.email_canonical if order.key == "email" else getattr(row, order.key)
    return UserPosition(key, UserId(row.id))


def _behind(keys: tuple[Any, ...], order: UserOrder) -> ColumnElement[bool]:
    bound = [bindparam(name, type_=key.type) for name, key in zip(("behind_key", "behind_id"), keys, strict=False)]
    here, there = (tuple_(*keys), tuple_(*bound)) if len(keys) > 1 else (keys[0], bound[0])
    behind: ColumnElement[bool] = here < there if order.backwards else here > there
    return behind


def _rare(form: _Form) -> Iterator[ColumnElement[bool]]:
    """What is asked that holds for few: those of the fewest first."""
    if form.status is UserStatus.SUSPENDED:
        yield _IS_SUSPENDED
    if form.status is UserStatus.DELETION_SCHEDULED:
        yield _IS_LEAVING
    if "role" in form.compared:
        yield _HAS_ROLES
    if form.email_verified is False:
        yield _USERS.c.email_verified_at.is_(None)


def _range(form: _Form) -> Iterator[ColumnElement[bool]]:
    """What is asked of that which decides the order: a part of the index."""
    return _OF_KEYS[form.order.key](form)


def _rest(form: _Form) -> Iterator[ColumnElement[bool]]:
    """What is asked of each entry."""
    for key, asked_of_it in _OF_KEYS.items():
        if key != form.order.key:
            yield from asked_of_it(form)
    if form.status is UserStatus.ACTIVE:
        yield ~_IS_SUSPENDED & ~_IS_LEAVING
    if "role" in form.compared:
        yield any_(_USERS.c.roles) == bindparam("role", type_=String)
    if form.email_verified is True:
        yield _USERS.c.email_verified_at.is_not(None)


def _created(form: _Form) -> Iterator[ColumnElement[bool]]:
    if "created_after" in form.compared:
        yield _USERS.c.created_at >= bindparam("created_after")
    if "created_before" in form.compared:
        yield _USERS.c.created_at < bindparam("created_before")


def _seen(form: _Form) -> Iterator[ColumnElement[bool]]:
    if "last_seen_before" in form.compared:
        yield _USERS.c.last_seen_at < bindparam("last_seen_before")


def _prefix(form: _Form) -> Iterator[ColumnElement[bool]]:
    if "email_prefix" in form.compared:
        yield _USERS.c.email_canonical >= bindparam("email_prefix")
        yield _USERS.c.email_canonical < bindparam("past_prefix")


_OF_KEYS: Mapping[str, Callable[[_Form], Iterator[ColumnElement[bool]]]] = {
    "created_at": _created,
    "last_seen_at": _seen,
    "email": _prefix,
}
