"""From messages to mailboxes."""

import json
import logging
from datetime import timedelta

from application.messages.prepare_messages import SEALED_FOR
from application.ports.clock import Clock
from application.ports.mailer import Mail, MailDelayed, Mailer, MailRefused
from application.ports.randomness import Randomness
from application.ports.secret_sealer import SecretSealer
from application.ports.unit_of_work import UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.ids import MessageId
from domain.messages.message import Message, MessageNotFound, MessagePolicy, MessageState

_log = logging.getLogger(__name__)


class DeliverMessage:
    """Try once to send a message.

    Whoever dies between sending and writing that down leaves it to be sent again, with the same Message-ID.
    """

    def __init__(
        self,
        unit_of_work: UnitOfWork,
        mailer: Mailer,
        sealer: SecretSealer,
        clock: Clock,
        randomness: Randomness,
        policy: MessagePolicy,
    ) -> None:
        self._unit_of_work = unit_of_work
        self._mailer = mailer
        self._sealer = sealer
        self._clock = clock
        self._randomness = randomness
        self._policy = policy

    async def execute(self, *, message_id: MessageId) -> timedelta | None:
        """How long to wait before trying again; None once there is nothing left to do."""
        try:
            async with self._unit_of_work.begin() as tx:
                message = await tx.messages.lock(message_id)
                if not message.is_waiting:
                    return None
                is_in_time = message.attempt(at=self._clock.now())
                await tx.messages.save(message)
        except MessageNotFound:
            # Its user was erased meanwhile.
            return None
        if not is_in_time:
            return None
        await self._try(message)
        try:
            async with self._unit_of_work.begin() as tx:
                await tx.messages.save(message)
        except ConcurrentUpdate:
            # We took so long that somebody else was given the job: what they write down counts (fault 21). To call the
            # job done could be to take it from them.
            return self._policy.first_wait
        if message.state is not MessageState.FAILED:
            return None
        return self._policy.wait(message.attempts, chance=self._randomness.secret(1)[0] / 255)

    async def _try(self, message: Message) -> None:
        sealed = message.sealed_content
        owner = str(message.id)
        content = self._sealer.open(sealed, purpose=SEALED_FOR, owner=owner) if sealed is not None else None
        if content is None:
            message.refused("sealed under another SECRET_KEY", at=self._clock.now())
            return
        mail = Mail(
            id=message.id,
            kind=message.kind,
            recipient=message.recipient,
            locale=message.locale,
            content=json.loads(content),
            written_at=message.created_at,
        )
        try:
            await self._mailer.send(mail)
        except MailRefused as refusal:
            message.refused(str(refusal), at=self._clock.now())
        except MailDelayed as delay:
            _log.warning("message %s was not sent at attempt %s: %s", message.id, message.attempts, delay)
            message.failed(str(delay), policy=self._policy, at=self._clock.now())
        except Exception as bug:  # noqa: BLE001  (it is logged, and seen on the message)
            # No bug in a template may keep the message from being seen as what it is: not sent.
            _log.exception("message %s was not sent", message.id)
            message.failed(type(bug).__name__, policy=self._policy, at=self._clock.now())
        else:
            message.sent(at=self._clock.now())
