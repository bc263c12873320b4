"""Mail to the mailbox of development."""

from adapters.mail.templates import Templates
from application.ports.clock import Clock
from application.ports.mailbox import Mailbox, ReceivedMail
from application.ports.mailer import Mail, Mailer


class MailboxMailer:
    """`Mailer` that puts mail where whoever develops can read it. It reaches nobody else."""

    def __init__(self, mailbox: Mailbox, *, templates: Templates, clock: Clock) -> None:
        self._mailbox = mailbox
        self._templates = templates
        self._clock = clock

    async def send(self, mail: Mail) -> None:
        rendered = self._templates.render(mail)
        await self._mailbox.put(
            ReceivedMail(
                id=mail.id,
                recipient=str(mail.recipient),
                subject=rendered.subject,
                text=rendered.text,
                html=rendered.html,
                received_at=self._clock.now(),
            )
        )


def _is_mailer(mailbox: MailboxMailer) -> Mailer:
    return mailbox
