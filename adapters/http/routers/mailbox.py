"""`/dev/mailbox`: mail as its recipients would see it, while there is no SMTP server. Never in production."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from adapters.http.headers import NO_STORE
from adapters.http.injection import injected
from adapters.http.pages import page
from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.routing import PageRoute
from adapters.http.schemas.mailbox import MailboxResponse, MailResponse
from application.ports.mailbox import Mailbox, ReceivedMail
from domain.ids import MessageId

# A page elsewhere could have its name lead to this machine (DNS rebinding) and read what is mailed here, but for
# `Armour`, which refuses names that are not ours.
router = APIRouter(prefix="/dev/mailbox", tags=["development"], include_in_schema=False, route_class=PageRoute)

_SHOWN = 100


@router.get("")
async def show_mailbox(request: Request, mailbox: Annotated[Mailbox, injected(Mailbox)]) -> HTMLResponse:
    """The mails of late, newest first."""
    return page("mailbox.html", mails=await mailbox.latest(limit=_SHOWN), here=_here(request))


@router.get(".json")
async def list_mails(mailbox: Annotated[Mailbox, injected(Mailbox)]) -> MailboxResponse:
    """The same for programs: tests of a front end read their links and codes here."""
    return MailboxResponse(items=[MailResponse.of(mail) for mail in await mailbox.latest(limit=_SHOWN)])


@router.get("/{message_id:uuid}")
async def show_mail(message_id: UUID, request: Request, mailbox: Annotated[Mailbox, injected(Mailbox)]) -> HTMLResponse:
    """One mail."""
    response = page("mail.html", mail=await _find(mailbox, message_id), here=_here(request))
    response.headers["Content-Security-Policy"] += "; frame-src 'self'"
    return response


@router.get("/{message_id:uuid}/html")
async def show_mail_html(message_id: UUID, mailbox: Annotated[Mailbox, injected(Mailbox)]) -> HTMLResponse:
    """What stands in the frame: the mail's own HTML, whose links open beside it."""
    mail = await _find(mailbox, message_id)
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
    headers = NO_STORE | {"Content-Security-Policy": policy, "X-Frame-Options": "SAMEORIGIN"}
    return HTMLResponse(mail.html.replace("<head>", '<head><base target="_blank">', 1), headers=headers)


async def _find(mailbox: Mailbox, message_id: UUID) -> ReceivedMail:
    mail = await mailbox.find(MessageId(message_id))
    if mail is None:
        raise RefusedByHttp(Refusal.ROUTE_NOT_FOUND)
    return mail


def _here(request: Request) -> str:
    return f"{request.app.state.public_url}{router.prefix}"
