"""E-mail addresses as the library `email-validator` reads them."""

import re

from application.ports.email_parser import EmailParser
from domain.errors import InvalidFields
from domain.users.email_address import MAX_LENGTH, MAX_LOCAL_LENGTH, EmailAddress, invalid_email

# What nearly all addresses look like, and the library gives back as it is: ASCII, the domain in small letters, no two
# hyphens together, and a top-level domain that people can have. It takes a tenth of the time.
_LABEL = r"[a-z0-9](?:-?[a-z0-9]){0,31}"
PLAIN = re.compile(
    rf"(?P<local>[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@(?:{_LABEL}\.){{1,3}}(?P<top>[a-z]{{2,24}})", re.ASCII
)
# What nobody's mail is under, though it looks so (IANA, Special-Use Domain Names), as the library has them.
SPECIAL_TOP_LEVELS = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})


class StrictEmailParser:
    """`EmailParser`: ASCII local parts, domains by UTS 46, no quoting, no comments, no look at the DNS."""

    def parse(self, text: str, *, field: str = "email") -> EmailAddress:
        if len(text) > MAX_LENGTH:  # before the tables of IDNA are asked (DA-04)
            raise InvalidFields([invalid_email(field)])
        plain = PLAIN.fullmatch(text)
        if plain is not None and len(plain["local"]) <= MAX_LOCAL_LENGTH and plain["top"] not in SPECIAL_TOP_LEVELS:
            return EmailAddress(canonical=text.lower(), display=text)
        return parse_by_library(text, field=field)


def parse_by_library(text: str, *, field: str = "email") -> EmailAddress:
    """What the library makes of any text.

    Raises: InvalidFields.
    """
    # Its tables take time and memory, and few addresses need them.
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        valid = validate_email(text, strict=True, allow_smtputf8=False, check_deliverability=False)
        return EmailAddress(canonical=f"{valid.local_part}@{valid.ascii_domain}".lower(), display=valid.normalized)
    except (EmailNotValidError, InvalidFields):
        raise InvalidFields([invalid_email(field)]) from None


def _is_email_parser(strict: StrictEmailParser) -> EmailParser:
    return strict
