"""Reading e-mail addresses."""

from typing import Protocol

from domain.users.email_address import EmailAddress


class EmailParser(Protocol):
    """Knows the syntax of addresses and the tables of internationalised domains, which the core does not."""

    def parse(self, text: str, *, field: str = "email") -> EmailAddress:
        """The address in canonical and display form (EM-06). Parsing a canonical form gives it back.

        `field` is what callers call the text.

        Raises: InvalidFields for everything that is not an ordinary mailbox on a public domain name.
        """
        ...
