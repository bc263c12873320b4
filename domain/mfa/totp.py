"""One-time codes that change with the time (RFC 6238), as every authenticator app makes them.

HMAC-SHA-1, six digits, steps of 30 seconds: what all apps understand. SHA-1 is as good as any other here, for HMAC does
not rest on collisions (RFC 6238 section 1.2, RFC 4226 appendix B.2).
"""

import base64
import hmac
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import quote, urlencode

SECRET_BYTES = 20  # 160 bits (MF-01; RFC 4226 section 4, R6)
DIGITS = 6
STEP_SECONDS = 30
WINDOW = 1
"""So many steps before and after the present one count too: clocks differ, and people type slowly (MF-04)."""


def step_at(moment: datetime) -> int:
    """The number of the step that this moment is in, counted from 1970."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_at(secret: bytes, step: int, *, digits: int = DIGITS) -> str:
    """The code of a step (RFC 4226 section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4]) & 0x7FFF_FFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, typed: str, *, at: datetime, after: int | None = None) -> int | None:
    """The step whose code was typed, within the window; None where there is none.

    Steps up to `after` have been used, and match nothing. Blanks in what was typed are passed over.
    """
    code = "".join(typed.split())
    if len(code) != DIGITS or not code.isascii() or not code.isdigit():
        return None
    # All of them, whichever matches: how long it takes tells nothing.
    matching = [step for step in _steps_around(at) if hmac.compare_digest(code_at(secret, step), code)]
    return next((step for step in matching if after is None or step > after), None)


def secret_text(secret: bytes) -> str:
    """The secret as people type it into an app: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def otpauth_uri(secret: bytes, *, issuer: str, account: str) -> str:
    """What the QR code says: the "Key Uri Format" of Google Authenticator, which all apps have followed.

    Without the parameters that have their usual values here: some apps stumble over them, and none needs them. Blanks
    are `%20`, for some apps show the plus of forms as it is.
    """
    label = f"{quote(issuer, safe='')}:{quote(account, safe='@')}"
    return f"otpauth://totp/{label}?{urlencode({'secret': secret_text(secret), 'issuer': issuer}, quote_via=quote)}"


def _steps_around(at: datetime) -> Iterator[int]:
    present = step_at(at)
    return iter(range(max(0, present - WINDOW), present + WINDOW + 1))
