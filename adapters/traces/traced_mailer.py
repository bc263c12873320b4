"""Sending mail, with a span for each attempt."""

from adapters.traces.tracer import Tracer
from application.ports.mailer import Mail, Mailer


class TracedMailer:
    """Another mailer. Of the mail itself nothing is told."""

    def __init__(self, mailer: Mailer, tracer: Tracer) -> None:
        self._mailer = mailer
        self._tracer = tracer

    async def send(self, mail: Mail) -> None:
        with self._tracer.mail():
            await self._mailer.send(mail)


def _is_mailer(traced: TracedMailer) -> Mailer:
    return traced
