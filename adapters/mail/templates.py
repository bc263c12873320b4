"""Mail in words: a catalogue of sentences for each language, and two layouts that all share."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from adapters.mail.content import MAX_SUBJECT_LENGTH, MAY_BE_EMPTY, SAMPLES, VARIABLES, harmless, one_line
from application.ports.mailer import Mail
from domain.messages.message import MessageKind

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_SHIPPED = Path(__file__).parent
_LAYOUTS = ("layouts/message.txt", "layouts/message.html")
_FALLBACK = "en"
_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8})*")

# What is said around every mail, beside a table for each kind.
_FRAME = "frame"
_TABLES = (_FRAME, *VARIABLES)

type _Catalogue = dict[tuple[str, str], tuple[str, ...]]
"""What is said in one language, by table and key: texts of templates."""


class TemplatesProblem(Exception):
    """The templates cannot be used. The message is a sentence: which file, what is wrong, what to do."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A mail in words. The subject is one line of at most 150 characters."""

    subject: str
    text: str
    html: str


class Templates:
    """Puts mail into words.

    A language is one file, `locales/<tag>.toml`. For every kind of mail it has a table with `subject`, `paragraphs`
    and, where they are needed, `action` (what the link's button says) and `after` (the paragraphs below it); the
    table `frame` has what stands around them. Each string is a Jinja template of plain text: it is the layout,
    `layouts/message.html`, that escapes it.

    `folder` is laid out like the folder of this module and goes before it: layouts file by file, languages key by
    key. What a language lacks is said in English. `service` is the name that recipients know us by.

    All is read here, once; a file that is changed later counts from the next start. Where there is a folder, all is
    tried out as well. What is shipped needs no trying, and is made ready when the first mail needs it: most processes
    send none, and each would take a tenth of a second and some MB for it.

    Raises: TemplatesProblem.
    """

    def __init__(self, *, service: str, folder: Path | None = None) -> None:
        if folder is not None and not folder.is_dir():
            message = f"{folder} is no folder: create it, or name the one that has the mail templates."
            raise TemplatesProblem(message)
        self._folders = [_SHIPPED] if folder is None else [_SHIPPED, folder]
        self._is_tried_out = folder is None
        self._service = one_line(service)
        self._templates: dict[str, Template] = {}
        self._catalogues = self._read()
        if not self._is_tried_out:
            self._try_layouts()

    @property
    def locales(self) -> Sequence[str]:
        """The languages there are, as BCP 47 tags in lower case."""
        return sorted(self._catalogues)

    def render(self, mail: Mail) -> Rendered:
        """The mail in the wished language, else in its primary language (`de` for `de-CH`), else in English.

        A variable of the kind that is missing is a bug, and a KeyError.
        """
        content = {name: harmless(name, mail.content[name]) for name in VARIABLES[mail.kind]}
        page = self._page(mail.kind, self._locale(mail.locale), content)
        text, html = self._layouts
        return Rendered(str(page["subject"]), text.render(page), html.render(page))

    def _locale(self, wish: str | None) -> str:
        tag = (wish or _FALLBACK).lower()
        return next((locale for locale in (tag, tag.partition("-")[0]) if locale in self._catalogues), _FALLBACK)

    def _page(self, kind: MessageKind, locale: str, content: Mapping[str, str]) -> dict[str, object]:
        """What a layout may use."""

        def said(key: str, table: str = kind) -> list[str]:
            texts = self._catalogues[locale].get((table, key), ())
            return [self._template(text).render(content, service=self._service) for text in texts]

        return {
            "lang": locale,
            "service": self._service,
            "subject": one_line("".join(said("subject")))[:MAX_SUBJECT_LENGTH],
            "paragraphs": said("paragraphs"),
            "code": content.get("code"),
            "link": content.get("link"),
            "action": "".join(said("action")),
            "below_link": "".join(said("below_link", _FRAME)),
            "after": said("after"),
            "footer": "".join(said("footer", _FRAME)),
        }

    @cached_property
    def _environment(self) -> "Environment":
        from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # noqa: PLC0415

        return Environment(
            loader=FileSystemLoader(self._folders[::-1]),
            autoescape=select_autoescape(["html"], default_for_string=False),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )

    @cached_property
    def _layouts(self) -> "tuple[Template, Template]":
        text, html = map(self._layout, _LAYOUTS)
        return text, html

    def _layout(self, name: str) -> "Template":
        from jinja2 import TemplateSyntaxError  # noqa: PLC0415

        try:
            return self._environment.get_template(name)
        except (TemplateSyntaxError, UnicodeDecodeError, OSError) as error:
            message = f"{self._folders[-1] / name} is no Jinja template ({_reason(error)}): correct it, or remove it."
            raise TemplatesProblem(message) from None

    def _template(self, text: str) -> "Template":
        if text not in self._templates:
            self._templates[text] = self._environment.from_string(text)
        return self._templates[text]

    def _try_layouts(self) -> None:
        for locale in self._catalogues:
            for kind in MessageKind:
                for content in _samples(kind):
                    page = self._page(kind, locale, content)
                    for layout in self._layouts:
                        try:
                            layout.render(page)
                        except Exception as error:  # noqa: BLE001  (a template may raise anything)
                            message = (
                                f"{layout.filename} fails ({_reason(error)}): correct it; it may use {_list(page)}."
                            )
                            raise TemplatesProblem(message) from None

    def _read(self) -> dict[str, _Catalogue]:
        catalogues: dict[str, _Catalogue] = {}
        for folder in self._folders:
            for file in sorted((folder / "locales").glob("*.toml")):
                tag = file.stem.lower()
                if not _TAG.fullmatch(tag):
                    message = f"{file} is not named after a language: call it by a tag such as fr.toml or pt-BR.toml."
                    raise TemplatesProblem(message)
                catalogues.setdefault(tag, {}).update(self._catalogue(file))
        return {tag: catalogues[_FALLBACK] | catalogue for tag, catalogue in catalogues.items()}

    def _catalogue(self, file: Path) -> _Catalogue:
        try:
            tables = tomllib.loads(file.read_text("utf-8"))
        except (ValueError, OSError) as error:
            message = f"{file} is no TOML in UTF-8 ({_reason(error)}): correct it."
            raise TemplatesProblem(message) from None
        catalogue: _Catalogue = {}
        for table, entries in tables.items():
            if table not in _TABLES or not isinstance(entries, dict):
                message = (
                    f"{file} has {table!r}, which is not a mail: remove it; there are tables for {_list(_TABLES)}."
                )
                raise TemplatesProblem(message)
            for key, value in entries.items():
                place = f"{file}, [{table}] {key}"
                catalogue[table, key] = texts = _texts(value, _keys(table), key, place)
                if not self._is_tried_out:
                    self._try(texts, table, place)
        return catalogue

    def _try(self, texts: Sequence[str], table: str, place: str) -> None:
        try:
            for text in texts:
                for content in _samples(table):
                    self._template(text).render(content, service=self._service)
        except Exception as error:  # noqa: BLE001  (a template may raise anything)
            variables = _list(["service", *VARIABLES.get(table, ())])
            message = f"{place} fails ({_reason(error)}): correct it; it may use {variables}."
            raise TemplatesProblem(message) from None


def _keys(table: str) -> Mapping[str, type]:
    """What a table may have, and whether that is one text or a list of them."""
    if table == _FRAME:
        return {"below_link": str, "footer": str}
    keys = {"subject": str, "paragraphs": list, "after": list}
    return keys | {"action": str} if "link" in VARIABLES[table] else keys


def _texts(value: object, keys: Mapping[str, type], key: str, place: str) -> tuple[str, ...]:
    if key not in keys:
        message = f"{place} is never shown: remove it; this table may have {_list(keys)}."
        raise TemplatesProblem(message)
    texts = value if isinstance(value, list) else [value]
    if not isinstance(value, keys[key]) or not all(isinstance(text, str) for text in texts):
        message = f"{place} must be {'a list of strings' if keys[key] is list else 'a string'}: correct it."
        raise TemplatesProblem(message)
    return tuple(cast("list[str]", texts))


def _samples(table: str) -> Iterator[dict[str, str]]:
    """Content to try a template with: full, and with as little as it may have."""
    full = {name: SAMPLES[name] for name in VARIABLES.get(table, ())}
    yield full
    yield full | dict.fromkeys(MAY_BE_EMPTY & full.keys(), "")


def _reason(error: Exception) -> str:
    from jinja2 import TemplateSyntaxError  # noqa: PLC0415

    if isinstance(error, TemplateSyntaxError):
        return f"line {error.lineno}: {error.message}".rstrip(".")
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__


def _list(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
