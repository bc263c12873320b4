"""`/links`: where the links in mails lead.

Looking at a page changes nothing, however often and whoever looks: mail scanners do. Its button posts to the API
(RC-06).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from adapters.http.pages import page, said
from adapters.http.refusals import Refusal, RefusedByHttp
from adapters.http.routing import PageRoute

router = APIRouter(tags=["links"], include_in_schema=False, route_class=PageRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What a page's button posts, beside the token of the link: to where, and which field."""

    action: str
    needs_token: bool = True
    name: str | None = None
    type: str = "password"
    autocomplete: str = "off"
    required: bool = True


_FORMS: Mapping[str, _Form] = {
    "verify-email": _Form(
        action="/v1/email-verifications/confirm", name="password", autocomplete="current-password", required=False
    ),
    "reset-password": _Form(action="/v1/password-resets/confirm", name="new_password", autocomplete="new-password"),
    "accept-invitation": _Form(action="/v1/password-resets/confirm", name="new_password", autocomplete="new-password"),
    "confirm-email-change": _Form(action="/v1/email-changes/confirm"),
    "revert-email-change": _Form(action="/v1/email-changes/revert"),
    "forgot-password": _Form(
        action="/v1/password-resets", needs_token=False, name="email", type="email", autocomplete="email"
    ),
}


@router.get("/links/{name}")
async def show_link(name: str, request: Request) -> HTMLResponse:
    """The page that a link leads to, in the language that the browser asks for."""
    form = _FORMS.get(name)
    if form is None:
        raise RefusedByHttp(Refusal.ROUTE_NOT_FOUND)
    words = said(request.headers.get("accept-language", ""))
    texts = words[name]
    field = {
        "name": form.name,
        "label": texts.get(form.name),
        "type": form.type,
        "autocomplete": form.autocomplete,
        "required": form.required,
        "hint": texts.get("hint"),
    }
    return page(
        "link.html",
        lang=words["lang"],
        noscript=words["noscript"],
        errors=words["errors"],
        action=f"{request.app.state.public_url}{form.action}",
        needs_token=form.needs_token,
        fields=[field] if form.name is not None else [],
        title=texts["title"],
        paragraphs=texts["paragraphs"],
        button=texts["button"],
        done=texts["done"],
    )
