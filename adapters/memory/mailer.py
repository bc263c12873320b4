"""Mail that goes nowhere."""

from application.ports.mailer import Mail, Mailer, MailRefused
from domain.users.email_address import EmailAddress


class MemoryMailer:
    """Keeps what was sent, oldest first, before it was put into words. For tests.

    `refuses` are recipients whose mail is never taken; while `failure` is set, nothing is, and it is raised.
    """

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.refuses: set[EmailAddress] = set()
        self.failure: Exception | None = None

    async def send(self, mail: Mail) -> None:
        if self.failure is not None:
            raise self.failure
        if mail.recipient in self.refuses:
            message = "550 at RCPT"
            raise MailRefused(message)
        self.sent.append(mail)


def _is_mailer(memory: MemoryMailer) -> Mailer:
    return memory
