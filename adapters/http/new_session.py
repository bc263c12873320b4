"""Answering whoever has just signed in, whichever way."""

from typing import Literal

from fastapi import Request, Response
from pydantic import SecretStr

from adapters.http import cookies
from adapters.http.cookies import expect_same_origin, set_device_token, set_refresh_token
from adapters.http.schemas.sessions import TokenResponse
from application.sessions.issued_tokens import IssuedTokens


def asks_for_cookie(transport: Literal["body", "cookie"], request: Request) -> bool:
    """Whether the keys to the new session are to be put where scripts do not see them.

    Raises: RefusedByHttp, where a page elsewhere asks for that.
    """
    if transport == "body":
        return False
    expect_same_origin(request)
    return True


def handed_out(issued: IssuedTokens, response: Response, *, in_cookie: bool) -> TokenResponse:
    """The keys to the new session: in the answer, or where scripts do not see them."""
    response.headers["Location"] = "/v1/sessions/current"
    if in_cookie:
        set_refresh_token(response, issued)
        set_device_token(response, issued.device_token or "")
    return TokenResponse.of(issued, in_cookie=in_cookie)


def device_token_of(sent: SecretStr | None, request: Request, *, in_cookie: bool) -> str | None:
    """What an earlier sign-in on this device was given: as it was sent, or in its cookie."""
    if sent is not None:
        return sent.get_secret_value()
    return request.cookies.get(cookies.DEVICE) if in_cookie else None
