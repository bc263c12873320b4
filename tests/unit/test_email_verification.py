"""Proving an address: by link or code, once, and never for whoever registered somebody else's (LG-09)."""

from application.recovery.verify_email import VerifyEmail
from domain.messages.message import MessageKind
from tests.world import World


async def test_a_new_user_gets_a_link_that_proves_the_address(world: World) -> None:
    await world.register()
    mail = await world.mailed(MessageKind.VERIFY_EMAIL)
    token = mail.content["link"].partition("#")[2]
    user = await world.container.resolve(VerifyEmail).execute(proof=token)
    assert user.email_verified
