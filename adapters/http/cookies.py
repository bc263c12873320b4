"""Refresh token and device token in cookies, for pages that must not see them (HD-01, HD-02).

A browser sends the cookie with every request to us, whoever made it send one. So what the cookie alone entitles to is
done only for pages of our own origin: the browser itself says where a request comes from, in headers that a page cannot
set.
"""

from urllib.parse import urlsplit

from fastapi import Request, Response

from adapters.http.refusals import Refusal, RefusedByHttp
from application.sessions.issued_tokens import IssuedTokens

# The prefix makes browsers insist on Secure, Path=/ and no Domain: no sibling domain can plant one.
REFRESH = "__Host-hallporter_refresh"
DEVICE = "__Host-hallporter_device"
# As long as browsers keep any (RFC 6265bis section 5.5).
_DEVICE_SECONDS = 400 * 86_400
_OUR_OWN = {"same-origin", "none"}


def is_same_origin(request: Request) -> bool:
    """Whether the browser says that a page of ours asks, or a person directly; not so where it says nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in _OUR_OWN
    public = urlsplit(request.app.state.public_url)
    return request.headers.get("origin") == f"{public.scheme}://{public.netloc}"


def expect_same_origin(request: Request) -> None:
    """Go on only if `is_same_origin`.

    Raises: RefusedByHttp.
    """
    if not is_same_origin(request):
        raise RefusedByHttp(Refusal.CROSS_SITE_REQUEST)


def set_refresh_token(response: Response, issued: IssuedTokens) -> None:
    """Give the refresh token to the browser, and not to the page."""
    _set(response, REFRESH, issued.refresh_token.text, seconds=int(issued.refresh_token_lifetime.total_seconds()))


def set_device_token(response: Response, token: str) -> None:
    """Have the browser bring it along the next time that somebody signs in; it stays when they sign out."""
    _set(response, DEVICE, token, seconds=_DEVICE_SECONDS)


def forget_refresh_token(request: Request, response: Response) -> None:
    """Take it away again, where there is one."""
    if REFRESH in request.cookies:
        response.delete_cookie(REFRESH, path="/", secure=True, httponly=True, samesite="lax")


def _set(response: Response, name: str, value: str, *, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="lax")
