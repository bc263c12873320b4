"""`/v1/admin/audit-…`: the audit log, and its proof."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from adapters.http.authentication import AdminUser
from adapters.http.documentation import WITH_BODY, WITH_PAGES, responses
from adapters.http.headers import LINK
from adapters.http.injection import injected
from adapters.http.next_steps import VERIFY
from adapters.http.pagination import AskedPage
from adapters.http.routing import Route
from adapters.http.schemas.audit import (
    AuditEntryList,
    AuditEntryResponse,
    CheckpointList,
    CheckpointResponse,
    VerificationCreate,
    VerificationResponse,
)
from application.audit.list_audit_entries import ListAuditEntries
from application.audit.list_checkpoints import ListCheckpoints
from application.audit.verify_audit_log import VerifyAuditLog
from application.ports.audit import AuditFilter, AuditPlace
from domain.errors import InvalidFields, Violation
from domain.events import Outcome
from domain.ids import UserId

router = APIRouter(prefix="/v1/admin", tags=["operators"], route_class=Route)

_VERIFIED_AT_ONCE = 100_000
_LONGEST_EVENT = 100
# Of RFC 3339, with a zone and more digits than anybody needs.
_LONGEST_TIME = {"maxLength": 64}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a list of entries can be narrowed down to. All of it applies."""

    actor: Annotated[UUID | None, Query(description="Who did it.")] = None
    subject: Annotated[UUID | None, Query(description="To whom it was done.")] = None
    event: Annotated[str | None, Query(max_length=_LONGEST_EVENT, description="Its name.")] = None
    outcome: Annotated[Literal["success", "refused"] | None, Query(description="How it ended.")] = None
    occurred_after: Annotated[
        datetime | None, Query(description="At that time or later.", json_schema_extra=_LONGEST_TIME)
    ] = None
    occurred_before: Annotated[
        datetime | None, Query(description="Before that time.", json_schema_extra=_LONGEST_TIME)
    ] = None

    def wanted(self) -> AuditFilter:
        """The same, for the core."""
        return AuditFilter(
            actor_id=UserId(self.actor) if self.actor is not None else None,
            user_id=UserId(self.subject) if self.subject is not None else None,
            event=self.event,
            outcome=Outcome(self.outcome) if self.outcome is not None else None,
            occurred_after=_in_utc(self.occurred_after),
            occurred_before=_in_utc(self.occurred_before),
        )


@router.get(
    "/audit-entries",
    responses=responses("list_audit_entries", *WITH_PAGES) | {200: {"headers": LINK}},
)
async def list_audit_entries(
    _caller: AdminUser,
    filters: Annotated[Filters, Depends()],
    paging: AskedPage,
    entries: Annotated[ListAuditEntries, injected(ListAuditEntries)],
) -> AuditEntryList:
    """What happened, newest first. That you looked, and by which filters, is written down too.

    One of the filters is looked up, and the others are tried on 5,000 entries that it finds: a page may be short or
    empty and have a `next_cursor` nevertheless. Go on with it until it is null. The order is that of writing; with
    times and neither `actor` nor `subject`, that of time.
    """
    page = await entries.execute(filters.wanted(), limit=paging.limit, after=paging.after(_read))
    position = _written(page.after) if page.after is not None else None
    items = [AuditEntryResponse.of(entry) for entry in page.items]
    return AuditEntryList(items=items, next_cursor=paging.next_cursor(position))


@router.get(
    "/audit-checkpoints",
    responses=responses("list_audit_checkpoints", *WITH_PAGES) | {200: {"headers": LINK, "links": VERIFY}},
)
async def list_audit_checkpoints(
    _caller: AdminUser, paging: AskedPage, checkpoints: Annotated[ListCheckpoints, injected(ListCheckpoints)]
) -> CheckpointList:
    """How far the audit log went, day by day, signed; newest first. Worth as much as the place where you keep them."""
    page = await checkpoints.execute(limit=paging.limit, before=paging.after(int))
    items = [CheckpointResponse.of(checkpoint) for checkpoint in page.items]
    return CheckpointList(items=items, next_cursor=paging.next_cursor(page.after))


@router.post("/audit-verifications", responses=responses("verify_audit_log", *WITH_BODY))
async def verify_audit_log(
    verification_in: VerificationCreate, _caller: AdminUser, verify: Annotated[VerifyAuditLog, injected(VerifyAuditLog)]
) -> VerificationResponse:
    """Is the audit log what it was?

    At most 100,000 entries are verified in one call; `next_position` tells where to go on. The log is held against
    itself and the checkpoints in the same database. Who can write all of these is uncovered by checkpoints that are
    kept elsewhere: `hallporter audit verify --checkpoint`.
    """
    begin, end = verification_in.from_position, verification_in.to_position
    if end is not None and end < begin:
        raise InvalidFields([Violation("to_position", "before_from_position", "This must not be before the other.")])
    report = await verify.execute(from_position=begin, to_position=end, at_most=_VERIFIED_AT_ONCE)
    return VerificationResponse.of(report)


def _in_utc(at: datetime | None) -> datetime | None:
    try:
        return at.astimezone(UTC) if at is not None else None
    except OverflowError:
        # Of the year 1 or 9999, and beyond it in UTC.
        return at.replace(tzinfo=UTC) if at is not None else None


def _written(place: AuditPlace) -> str:
    return f"{place.sequence} {place.occurred_at.isoformat()}"


def _read(position: str) -> AuditPlace:
    sequence, _, occurred_at = position.partition(" ")
    return AuditPlace(sequence=int(sequence), occurred_at=datetime.fromisoformat(occurred_at))
