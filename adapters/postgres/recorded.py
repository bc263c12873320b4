"""What is written, and what it leaves in the audit log and in the queue: one statement, all of it or nothing."""

from typing import Any

from sqlalchemy import (
    CTE,
    Select,
    bindparam,
    column,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from adapters.postgres.audit_queries import ENTRIES, PROOFS
from adapters.postgres.jobs import queued
from adapters.postgres.models import AuditEntryModel, AuditProofModel
from adapters.postgres.prepared import Prepared

_OWN_COLUMNS = [own for own in AuditEntryModel.__table__.columns if own.name != "sequence"]
_GIVEN = (
    func.jsonb_to_recordset(bindparam("entries", type_=JSONB))
    .table_valued(
        *(column(own.name, own.type) for own in (*_OWN_COLUMNS, PROOFS.personal)),
        column("job", ENTRIES.event.type),
        name="given",
    )
    .render_derived(with_types=True)
)


class Recorded:
    """A write and the entries of its events. Where nothing is written, nothing is recorded.

    `act` is the write, and has a row for it; without one, the entries are all there is. `along` are writes that belong
    to it, and look at its row where they depend on it.
    """

    def __init__(self, act: CTE | None = None, *along: CTE) -> None:
        # The queue tells its listeners of each statement that could have added to it: two statements, and not one.
        self._statements = {
            has_jobs: Prepared(_recorded(act, has_jobs=has_jobs).add_cte(*along), writes=True)
            for has_jobs in (False, True)
        }

    def statement(self, *, has_jobs: bool) -> Prepared:
        """For entries of which some are queued as jobs, or none is. They are its `entries`."""
        return self._statements[has_jobs]


def _recorded(act: CTE | None, *, has_jobs: bool) -> Select[*tuple[Any, ...]]:
    all_given = select(_GIVEN)
    given = (all_given.where(exists(select(act))) if act is not None else all_given).cte("given_entries")
    written = (
        insert(AuditEntryModel)
        .from_select([own.name for own in _OWN_COLUMNS], select(*(given.c[own.name] for own in _OWN_COLUMNS)))
        .returning(ENTRIES.sequence, ENTRIES.id)
        .cte("written")
    )
    proved = insert(AuditProofModel).from_select(
        ["sequence", "personal"],
        select(written.c.sequence, given.c.personal).join_from(written, given, written.c.id == given.c.id),
    )
    statement = (select(act) if act is not None else select(literal(1).label("done"))).add_cte(proved.cte("proved"))
    return statement.add_cte(queued(given)) if has_jobs else statement
