"""What users may say about themselves, and the rules for it."""

import re
import unicodedata
from typing import TypedDict

from domain.errors import InvalidFields, Violation

MAX_DISPLAY_NAME_LENGTH = 100
MAX_LOCALE_LENGTH = 35  # RFC 5646 section 4.4.1

LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
# What disturbs the text around it or shows nothing (IN-03): control and format characters, breaks of lines, lone
# surrogates, characters that do not exist or mean something in private, and letters without a shape.
_REFUSED_CATEGORIES = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
_SHAPELESS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
# Some scripts and emoji cannot be written without them; at the edge of a name they have no use.
_JOINERS = "\u200c\u200d"


class ProfileChanges(TypedDict, total=False):
    """What to change: an absent key leaves the field alone, None empties it (RFC 7396)."""

    display_name: str | None
    locale: str | None


def display_name(text: str | None) -> str | None:
    """A name for showing, trimmed and in NFC.

    Raises: InvalidFields when it is empty, too long, or could disturb the text around it.
    """
    return shown_name(text, field="display_name", longest=MAX_DISPLAY_NAME_LENGTH) if text is not None else None


def shown_name(text: str, *, field: str, longest: int) -> str:
    """A name that people give to something, trimmed and in NFC; `field` is what callers call it.

    Raises: InvalidFields when it is empty, too long, or could disturb the text around it.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if not 0 < len(name) <= longest:
        raise InvalidFields([Violation(field, f"invalid_{field}", f"Use 1 to {longest} characters.")])
    # Nothing that is ASCII and can be printed disturbs anybody.
    is_plain = name.isascii() and name.isprintable()
    if not is_plain and (name != name.strip(_JOINERS) or any(_disturbs(char) for char in name)):
        problem = "Control characters and marks that reorder or hide text cannot be part of a name."
        raise InvalidFields([Violation(field, f"invalid_{field}", problem)])
    return name


def _disturbs(char: str) -> bool:
    return char not in _JOINERS and (char in _SHAPELESS or unicodedata.category(char) in _REFUSED_CATEGORIES)


def locale(tag: str | None) -> str | None:
    """A language tag such as `en` or `de-CH`.

    Raises: InvalidFields.
    """
    if tag is None:
        return None
    if len(tag) > MAX_LOCALE_LENGTH or not LANGUAGE_TAG.fullmatch(tag):
        problem = "Use a language tag such as en or de-CH (BCP 47)."
        raise InvalidFields([Violation("locale", "invalid_locale", problem)])
    return tag
