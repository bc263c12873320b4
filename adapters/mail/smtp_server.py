"""The operator's relay, and who mail is from, as settings name them. Whoever reads settings need not send."""

import ipaddress
import re
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from enum import Enum
from typing import Self
from urllib.parse import unquote, urlsplit

_LAST_PORT = 65_535
_TLS_PORT, _SUBMISSION_PORT, _LOCAL_PORT = 465, 587, 25
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.ASCII | re.IGNORECASE)
_ATOM = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_HOST.pattern}", re.ASCII | re.IGNORECASE)


class Encryption(Enum):
    """When the connection to a relay is encrypted. The certificate is verified whenever it is."""

    FROM_THE_START = "TLS"
    REQUIRED = "STARTTLS, or nothing is sent"
    IF_OFFERED = "STARTTLS where the relay offers it"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """The relay, and how to talk to it."""

    host: str
    port: int
    encryption: Encryption
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Read `smtps://user:password@host:465` (TLS) or `smtp://user:password@host:587` (STARTTLS).

        To this machine itself, `smtp://localhost:25`, mail may go unencrypted. User and password are percent-encoded,
        and may be missing together; so may the port.

        Raises: ValueError, whose message never repeats the URL.
        """
        try:
            parts = urlsplit(url if url.isprintable() else "")
            host, port = parts.hostname or "", parts.port
            user, password = (_decoded(part) for part in (parts.username, parts.password))
        except ValueError:
            message = (
                "is not a URL such as smtp://user:password@host:587; percent-encode what is special in the password"
            )
            raise ValueError(message) from None
        if parts.scheme not in {"smtp", "smtps"} or not parts.netloc:
            message = "must begin with smtp:// or smtps://"
            raise ValueError(message)
        if parts.path or "?" in url or "#" in url:
            message = "must end after the port; percent-encode / ? and # in the password"
            raise ValueError(message)
        if not (_HOST.fullmatch(host) or _is_ip_address(host)):
            message = "names no host: write smtp://user:password@host:587"
            raise ValueError(message)
        if port is not None and not 0 < port <= _LAST_PORT:
            message = f"has an impossible port; it is from 1 to {_LAST_PORT}"
            raise ValueError(message)
        if "@" in parts.netloc and not (user and password):
            message = "needs user and password, or neither"
            raise ValueError(message)
        if parts.scheme == "smtps":
            encryption, default = Encryption.FROM_THE_START, _TLS_PORT
        elif _is_this_machine(host):
            encryption, default = Encryption.IF_OFFERED, _LOCAL_PORT
        else:
            encryption, default = Encryption.REQUIRED, _SUBMISSION_PORT
        return cls(host=host, port=port or default, encryption=encryption, user=user, password=password)


def check_sender(text: str) -> str:
    """`Hallporter <no-reply@accounts.example.com>`, or a bare address, as it will stand in the mail.

    Raises: ValueError.
    """
    return str(sender_of(text))


def sender_of(text: str) -> Address:
    """The sender that a text names.

    Raises: ValueError.
    """
    name, address = parseaddr(text)
    # The library reads more than we want: comments, routes, several lines.
    if not (text.isprintable() and _ADDRESS.fullmatch(address) and (text == address or text.endswith(f"<{address}>"))):
        message = "is not a sender such as Hallporter <no-reply@accounts.example.com>, with the address in ASCII"
        raise ValueError(message)
    return Address(display_name=name, addr_spec=address)


def _decoded(part: str | None) -> str | None:
    decoded = None if part is None else unquote(part, errors="strict")
    if decoded is not None and not decoded.isprintable():
        raise ValueError
    return decoded


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or (_is_ip_address(host) and ipaddress.ip_address(host).is_loopback)
