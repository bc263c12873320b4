"""E-mail addresses as the library `email-validator` reads them."""

from email_validator import EmailNotValidError, validate_email

from application.ports.email_parser import EmailParser
from domain.errors import InvalidFields
from domain.users.email_address import MAX_LENGTH, EmailAddress, invalid_email


class StrictEmailParser:
    """`EmailParser`: ASCII local parts, domains by UTS 46, no quoting, no comments, no look at the DNS."""

    def parse(self, text: str, *, field: str = "email") -> EmailAddress:
        if len(text) > MAX_LENGTH:  # before the tables of IDNA are asked (DA-04)
            raise InvalidFields([invalid_email(field)])
        try:
            valid = validate_email(text, strict=True, allow_smtputf8=False, check_deliverability=False)
            return EmailAddress(canonical=f"{valid.local_part}@{valid.ascii_domain}".lower(), display=valid.normalized)
        except (EmailNotValidError, InvalidFields):
            raise InvalidFields([invalid_email(field)]) from None


def _is_email_parser(strict: StrictEmailParser) -> EmailParser:
    return strict
