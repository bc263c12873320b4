"""What is known of a request goes with what comes of it: the device, the network, the request itself."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from application.audit.exports import End, MalformedExport, read, written
from application.mfa.ask_for_factor import FactorRequired
from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.request_password_reset import RequestPasswordReset
from application.sessions.known_devices import KnownDevices
from application.sessions.sign_in import SignIn
from domain.audit.audit_entry import AuditEntry
from domain.audit.chain import seal
from domain.ids import UserId
from domain.sessions.session import Device
from tests.factors import answer, app_of, totp, verified_user
from tests.unit.test_audit_export import entry
from tests.world import EMAIL, PASSWORD, World

NETWORK = "198.51.100.9"


async def entries_of(world: World, user_id: UserId, event: str) -> Sequence[AuditEntry]:
    async with world.unit_of_work.read() as tx:
        return [entry for entry in await tx.audit.of_user(user_id) if entry.event == event]


@pytest.mark.parametrize(
    ("use_case", "event"),
    [
        (RequestPasswordReset, "password_reset.requested"),
        (RequestEmailVerification, "email_verification.requested"),
    ],
)
async def test_la_01_it_is_written_down_from_where_mail_was_asked_for(
    world: World, use_case: type[RequestPasswordReset | RequestEmailVerification], event: str
) -> None:
    user = await world.register()
    await world.container.resolve(use_case).execute(email=EMAIL, network_address=NETWORK)
    (asked,) = await entries_of(world, user.id, event)
    assert asked.network_address == NETWORK


async def test_lg_06_a_device_stays_the_same_one_with_a_second_factor_and_without(world: World) -> None:
    user, devices = await verified_user(world), world.container.resolve(KnownDevices)
    sign_in = world.container.resolve(SignIn)
    first = await world.sign_in()
    known = devices.recognise(first.device_token, of=user)
    assert known is not None
    again = await sign_in.execute(
        email=EMAIL, password=PASSWORD, device=Device(network_address=NETWORK), device_token=first.device_token
    )
    assert not isinstance(again, FactorRequired)
    app = await app_of(world, user, again)
    asked = await sign_in.execute(
        email=EMAIL, password=PASSWORD, device=Device(network_address=NETWORK), device_token=again.device_token
    )
    assert isinstance(asked, FactorRequired)
    finished = await answer(world, asked.challenge_id, totp(app.next_code()))
    found = [devices.recognise(tokens.device_token, of=await world.user()) for tokens in (again, finished)]
    assert [device.device_id for device in found if device is not None] == [known.device_id] * 2


def test_la_05_an_exported_entry_keeps_the_request_that_it_comes_from() -> None:
    (sealed,) = seal([replace(entry(3), request_id=UUID(int=7))], None)
    assert read(written(sealed)) == sealed


@pytest.mark.parametrize("count", [0, 1, 2**63 - 1])
def test_la_05_a_number_of_an_export_is_any_that_can_be_kept(count: int) -> None:
    assert read(written(End(entries=count))) == End(entries=count)


@pytest.mark.parametrize("count", [-1, 2**63])
def test_la_05_no_other_number_is_one_of_an_export(count: int) -> None:
    with pytest.raises(MalformedExport):
        read(written(End(entries=count)))
