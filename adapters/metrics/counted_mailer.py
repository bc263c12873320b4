"""Counting mails."""

from collections.abc import Callable

from application.ports.mailer import Mail, MailDelayed, Mailer, MailRefused


class CountedMailer:
    """Another mailer, and a word to `count` on how each attempt went: sent, delayed, refused or failed."""

    def __init__(self, mailer: Mailer, count: Callable[[str], None]) -> None:
        self._mailer = mailer
        self._count = count

    async def send(self, mail: Mail) -> None:
        outcome = "failed"
        try:
            await self._mailer.send(mail)
            outcome = "sent"
        except MailDelayed:
            outcome = "delayed"
            raise
        except MailRefused:
            outcome = "refused"
            raise
        finally:
            self._count(outcome)


def _is_mailer(counted: CountedMailer) -> Mailer:
    return counted
