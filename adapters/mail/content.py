"""What may stand in a mail: the variables of each kind, and how a value is made harmless.

A device names itself, and whoever types a stranger's address into a form decides what that stranger reads (IN-05,
IN-06). So no value brings a line of its own, a direction of its own, or something to click on.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping

from domain.messages.message import MessageKind

MAX_VALUE_LENGTH = 200
MAX_SUBJECT_LENGTH = 150

VARIABLES: Mapping[str, tuple[str, ...]] = {
    MessageKind.VERIFY_EMAIL: ("link", "code", "link_hours", "code_minutes"),
    MessageKind.ALREADY_REGISTERED: (),
    MessageKind.RESET_PASSWORD: ("link", "link_minutes"),
    MessageKind.CHOOSE_PASSWORD: ("link", "link_minutes"),
    MessageKind.PASSWORD_CHANGED: ("at",),
    MessageKind.CONFIRM_EMAIL_CHANGE: ("link", "link_minutes"),
    MessageKind.EMAIL_CHANGE_REQUESTED: ("link", "link_days", "at"),
    MessageKind.EMAIL_CHANGED: ("link", "link_days", "at"),
    MessageKind.NEW_DEVICE: ("device", "network_address", "at"),
    MessageKind.TOKEN_REUSE_DETECTED: ("at",),
    MessageKind.DELETION_SCHEDULED: ("at", "due"),
    MessageKind.INVITATION: ("link", "link_days"),
    MessageKind.EMAIL_SET: ("at",),
    MessageKind.FACTOR_ENROLLED: ("at",),
    MessageKind.FACTOR_REMOVED: ("at",),
    MessageKind.FACTOR_RESET: ("at",),
    MessageKind.PASSKEY_ADDED: ("at",),
    MessageKind.PASSKEY_REMOVED: ("at",),
    MessageKind.PASSKEY_COPY_SUSPECTED: ("at", "passkey"),
    MessageKind.FACTOR_RESET_REQUESTED: ("at", "due"),
    MessageKind.FACTOR_RESET_CANCELLED: ("at",),
    MessageKind.RECOVERY_CODES_MADE: ("at",),
    MessageKind.RECOVERY_CODE_USED: ("at", "left"),
    MessageKind.FACTOR_GUESSES_USED_UP: ("at",),
}
"""What the templates of each kind may use, besides `service`. All are strings."""

MAY_BE_EMPTY = frozenset({"device", "network_address", "passkey"})

SAMPLES: Mapping[str, str] = {
    "link": "https://accounts.example.com/sample#token=hp_sample&more=1",
    "code": "24681357",
    "link_hours": "24",
    "link_minutes": "30",
    "link_days": "7",
    "code_minutes": "10",
    "at": "2026-11-23 08:15 UTC",
    "due": "2026-12-23 08:15 UTC",
    "left": "9",
    "passkey": "Telephone",
    "device": "Firefox on Windows",
    "network_address": "192.0.2.7",
}
"""A value for every variable, for trying templates out."""

# Controls, format characters (bidirectional overrides, zero widths), lone surrogates, line and paragraph separators.
_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Browsers read the ideographic and full-width stops as dots, too.
_DOT = "[.\u3002\uff0e\uff61]"
# A dot before a letter is part of a host name and one before a digit part of a version, but for whole IPv4 addresses.
_LINKABLE = re.compile(rf"://|www{_DOT}|(?<=\S){_DOT}(?=[^\W\d_])|\d+(?:{_DOT}\d+){{3}}", re.IGNORECASE)
_ANY_DOT = re.compile(_DOT)


def harmless(name: str, value: str) -> str:
    """The value of a variable as it may stand in a mail: one line, at most 200 characters, nothing to click on.

    Only `link` is left as it is: we made it.
    """
    if name == "link":
        return value
    value = one_line(value)[:MAX_VALUE_LENGTH]
    if _LINKABLE.search(value) and not (name == "network_address" and _is_ip_address(value)):
        return _ANY_DOT.sub("[.]", value.replace("://", "[:]//"))
    return value


def one_line(text: str) -> str:
    """The text with a single space for whatever is space, a line break, a control or invisible."""
    return " ".join(
        "".join(" " if unicodedata.category(character) in _UNPRINTABLE else character for character in text).split()
    )


def _is_ip_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
