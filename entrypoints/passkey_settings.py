"""What can be set about passkeys, and what it comes down to."""

from collections.abc import Iterator, Sequence
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from entrypoints.setting_formats import DOMAIN, checked_passkey_origins, checked_rp_id, origin_of

_THIS_MACHINE = "localhost"


class PasskeySettings(BaseSettings):
    """To which domain passkeys belong, and on which pages they are used (Web Authentication Level 3)."""

    passkey_rp_id: Annotated[str, AfterValidator(checked_rp_id)] | None = Field(
        default=None,
        description="domain that passkeys are made for, and bound to for ever; left out: the host of PUBLIC_URL",
    )
    passkey_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(checked_passkey_origins)] = Field(
        default=(),
        description="origins of the pages that use passkeys; left out: those of PUBLIC_URL and CORS_ORIGINS that may",
    )


def effective_rp_id(settings: PasskeySettings, *, public_url: str) -> str:
    """What `passkey_rp_id` comes down to. Browsers take domains and no addresses, but for this machine's name."""
    host = (urlsplit(public_url).hostname or "").lower()
    return settings.passkey_rp_id or (host if DOMAIN.fullmatch(host) else _THIS_MACHINE)


def effective_origins(settings: PasskeySettings, *, public_url: str, cors_origins: Sequence[str]) -> tuple[str, ...]:
    """What `passkey_origins` comes down to: our own pages and those that may call us, as far as browsers let them."""
    if settings.passkey_origins:
        return settings.passkey_origins
    rp_id = effective_rp_id(settings, public_url=public_url)
    own = public_url.lower()
    if rp_id == _THIS_MACHINE:
        public = urlsplit(own)
        own = f"{public.scheme}://{_THIS_MACHINE}{f':{public.port}' if public.port else ''}"
    pages = dict.fromkeys(origin_of(page) for page in (own, *cors_origins))
    return tuple(origin for origin in pages if _is_under(rp_id, origin))


def passkey_problems(settings: PasskeySettings, *, public_url: str, cors_origins: Sequence[str]) -> Iterator[str]:
    """What browsers would refuse each time: better said at start."""
    rp_id = effective_rp_id(settings, public_url=public_url)
    pages = effective_origins(settings, public_url=public_url, cors_origins=cors_origins)
    if not any(_is_under(rp_id, page) or page.startswith("android:") for page in pages):
        yield (
            f"PASSKEY_RP_ID is {rp_id}, and no page is at that domain or below it. "
            "Set it to the domain of the pages that use passkeys, and PASSKEY_ORIGINS to their origins"
        )


def _is_under(rp_id: str, origin: str) -> bool:
    host = urlsplit(origin).hostname or ""
    return host == rp_id or host.endswith(f".{rp_id}")
