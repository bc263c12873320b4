"""Pages for people: where the links in mails lead, and the mailbox of development.

Each brings its own style and script, and a policy that allows exactly these (HD-03). What is said on the pages of
links is in one TOML file for each language.
"""

import base64
import hashlib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent
_FALLBACK = "en"
_WISH = re.compile(r"\s*(?P<tag>[A-Za-z]{2,3})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=(?P<weight>[01](?:\.[0-9]{1,3})?))?\s*")


def page(template: str, **content: object) -> HTMLResponse:
    """The page that a template makes of its content."""
    style, script = _file("style.css"), _file("link.js")
    body = _environment().get_template(template).render(content, style=style, script=script)
    policy = (
        f"default-src 'none'; style-src {_hash_of(style)}; script-src {_hash_of(script)}; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(body, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})


def said(wishes: str) -> Mapping[str, Any]:
    """What the pages of links say, in the language of `Accept-Language` that we speak best; else in English."""
    spoken = _catalogues()
    weighed = [
        (float(wish["weight"] or 1), -place, wish["tag"].lower())
        for place, wish in enumerate(map(_WISH.fullmatch, wishes.split(",")[:20]))
        if wish is not None
    ]
    wanted = (tag for weight, _, tag in sorted(weighed, reverse=True) if weight > 0 and tag in spoken)
    return spoken[next(wanted, _FALLBACK)]


@cache
def _environment() -> "Environment":
    # Where the links of mails lead elsewhere, nobody ever asks for a page.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415

    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def _catalogues() -> Mapping[str, Mapping[str, Any]]:
    files = sorted(_FOLDER.glob("*.toml"))
    return {file.stem: {"lang": file.stem, **tomllib.loads(file.read_text("utf-8"))} for file in files}


@cache
def _file(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


@cache
def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
