"""Guessing passwords: how often, from where, and whom it does not keep out."""

import asyncio
from datetime import timedelta

import pytest

from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.rate_limiter import MemoryRateLimiter
from application.ports.password_hasher import HashingBusy
from application.ports.rate_limiter import ThrottlesUnavailable
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.sessions.issued_tokens import IssuedTokens
from application.sessions.known_devices import KnownDevices
from application.sessions.reauthenticate import Reauthenticate
from application.sessions.sign_in import SignIn
from application.users.change_password import ChangePassword
from domain.errors import DomainError
from domain.messages.message import MessageKind
from domain.sessions.session import Device, InvalidCredentials
from domain.throttling.network import network_of
from domain.throttling.throttle import Throttled
from domain.users.password import Password, PasswordHash, WrongPassword
from domain.users.user import User
from tests.world import EMAIL, PASSWORD, World, token_of

WRONG = "not the password at all"
NOBODY = "nobody@example.com"


async def guess(
    world: World,
    password: str = WRONG,
    *,
    email: str = EMAIL,
    network: str | None = "198.51.100.1",
    device_token: str | None = None,
) -> IssuedTokens:
    device = Device(user_agent="tests", network_address=network)
    issued = await world.container.resolve(SignIn).execute(
        email=email, password=password, device=device, device_token=device_token
    )
    assert isinstance(issued, IssuedTokens)
    return issued


async def refusals(world: World, count: int, **how: str | None) -> list[type[DomainError]]:
    """How so many wrong guesses, one after the other, are refused."""
    found: list[type[DomainError]] = []
    for _ in range(count):
        with pytest.raises(DomainError) as refusal:
            await guess(world, **how)  # type: ignore[arg-type]
        found.append(type(refusal.value))
    return found


async def attack(world: World, *, networks: int) -> None:
    for number in range(networks):
        await refusals(world, 1, network=f"203.0.113.{number}")


@pytest.mark.parametrize("email", [EMAIL, NOBODY, "no address"])
async def test_five_guesses_from_one_network_are_looked_at_whoever_they_are_about(world: World, email: str) -> None:
    await world.register()
    compared = world.passwords.comparisons
    assert await refusals(world, 8, email=email) == [InvalidCredentials] * 5 + [Throttled] * 3
    assert world.passwords.comparisons == compared + 5
    world.clock.advance(timedelta(minutes=1))
    assert await refusals(world, 2, email=email) == [InvalidCredentials, Throttled]


@pytest.mark.parametrize("email", [EMAIL, NOBODY])
async def test_lg_04_of_300_at_once_from_as_many_networks_exactly_the_budget_is_looked_at(
    world: World, email: str
) -> None:
    await world.register()
    compared = world.passwords.comparisons
    barrier = asyncio.Barrier(300)

    async def one(number: int) -> type[Exception]:
        await barrier.wait()
        with pytest.raises(DomainError) as refusal:
            await guess(world, email=email, network=f"10.0.{number // 250}.{number % 250}")
        return type(refusal.value)

    found = await asyncio.gather(*(one(number) for number in range(300)))
    assert (found.count(InvalidCredentials), found.count(Throttled)) == (50, 250)
    assert world.passwords.comparisons == compared + 50


async def test_lg_06_the_owner_comes_in_on_a_known_device_however_many_attack(world: World) -> None:
    await world.register()
    token = (await guess(world, PASSWORD)).device_token
    barrier = asyncio.Barrier(501)

    async def stranger(number: int) -> type[Exception]:
        await barrier.wait()
        with pytest.raises(DomainError) as refusal:
            await guess(world, network=f"10.0.{number // 250}.{number % 250}")
        return type(refusal.value)

    async def owner() -> IssuedTokens:
        await barrier.wait()
        return await guess(world, PASSWORD, device_token=token)

    owning = asyncio.create_task(owner())
    refused = await asyncio.gather(*(stranger(number) for number in range(500)))
    assert (refused.count(InvalidCredentials), refused.count(Throttled)) == (50, 450)
    assert (await owning).device_token
    with pytest.raises(Throttled):
        await guess(world, PASSWORD)
    for _ in range(20):
        token = (await guess(world, PASSWORD, device_token=token)).device_token


async def test_a_known_device_has_guesses_of_its_own_and_no_more(world: World) -> None:
    await world.register()
    token = (await guess(world, PASSWORD)).device_token
    assert (await refusals(world, 12, device_token=token)).count(InvalidCredentials) == 10
    with pytest.raises(Throttled):
        await guess(world, PASSWORD, device_token=token)
    # Another one is not concerned, and neither are strangers.
    assert await refusals(world, 1) == [InvalidCredentials]


async def test_devices_of_before_a_change_of_password_share_one_budget(world: World) -> None:
    """Or whoever knew the password once would have made themselves as many devices as they like."""
    user = await world.register()
    tokens = [(await guess(world, PASSWORD)).device_token for _ in range(20)]
    session = await world.sign_in()
    new = "a louder harbour at noon"
    await world.container.resolve(ChangePassword).execute(
        user_id=user.id, session_id=session.session_id, current=PASSWORD, new=new
    )
    found = [refusal for token in tokens for refusal in await refusals(world, 10, device_token=token)]
    # Their own fifty, and after that the five of strangers at this network.
    assert (found.count(InvalidCredentials), found.count(Throttled)) == (55, 145)
    # Whoever used that up keeps no device of the user's out: it is a stranger like others.
    anew = (await guess(world, new, device_token=tokens[0], network="198.51.100.2")).device_token
    assert (await refusals(world, 1, device_token=anew)) == [InvalidCredentials]


async def test_lg_03_a_counter_is_the_addresss_and_not_the_users(world: World) -> None:
    """Or registering an address, or moving, would tell by a counter that begins anew."""
    await refusals(world, 6)
    await world.register()
    assert await refusals(world, 1) == [Throttled]


async def test_lg_06_whoever_has_reset_the_password_need_not_wait_with_strangers(world: World) -> None:
    await world.register()
    await world.work()
    await attack(world, networks=60)
    await world.container.resolve(RequestPasswordReset).execute(email=EMAIL)
    token = token_of(await world.mailed(MessageKind.RESET_PASSWORD))
    new = "a louder harbour at noon"
    device_token = await world.container.resolve(ResetPassword).execute(token=token, new_password=new)
    with pytest.raises(Throttled):
        await guess(world, new)
    assert (await guess(world, new, device_token=device_token)).device_token


async def test_what_came_back_by_itself_is_not_given_back_as_well(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()
    matches = type(world.passwords).matches

    async def slow(self: MemoryPasswordHasher, password: Password, hashed: PasswordHash | None) -> bool:
        world.clock.advance(timedelta(minutes=5))
        return await matches(self, password, hashed)

    with monkeypatch.context() as patched:
        patched.setattr(MemoryPasswordHasher, "matches", slow)
        for _ in range(5):
            await guess(world, PASSWORD)
    assert await refusals(world, 6) == [InvalidCredentials] * 5 + [Throttled]


async def test_a_device_is_known_for_the_user_alone_who_signed_in_on_it(world: World) -> None:
    await world.register()
    await world.register("eve@example.com")
    of_eve = (await guess(world, PASSWORD, email="eve@example.com")).device_token
    assert (await refusals(world, 6, device_token=of_eve))[-1] is Throttled


@pytest.mark.parametrize("token", ["", "hp_dv_", "hp_dv_é", "hp_dv_AAAA", "hp_rt_AAAA", "hp_dv_////", "hp_dv_gICA"])
async def test_what_is_no_device_token_is_nobodys(world: World, token: str) -> None:
    user = await world.register()
    assert world.container.resolve(KnownDevices).recognise(token, of=user) is None
    assert (await refusals(world, 6, device_token=token))[-1] is Throttled


async def test_lg_07_success_refills_nothing(world: World) -> None:
    await world.register()
    await world.register("eve@example.com")
    await refusals(world, 4)
    for _ in range(10):
        await guess(world, PASSWORD, email="eve@example.com")
        await guess(world, PASSWORD)
    assert await refusals(world, 2) == [InvalidCredentials, Throttled]


async def test_whoever_knows_the_password_is_never_counted(world: World) -> None:
    await world.register()
    for _ in range(60):
        await guess(world, PASSWORD)


async def test_a_right_password_of_a_user_who_is_shut_out_counts_like_a_wrong_one(world: World) -> None:
    user = await world.register()
    await world.suspend(user.id)
    found = []
    for _ in range(6):
        with pytest.raises(DomainError) as refusal:
            await guess(world, PASSWORD)
        found.append(type(refusal.value))
    assert found == [InvalidCredentials] * 5 + [Throttled]


async def test_a_guess_that_nobody_had_time_for_is_not_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.register()

    async def busy(*_: object) -> bool:
        raise HashingBusy

    with monkeypatch.context() as patched:
        patched.setattr(world.passwords, "matches", busy)
        assert await refusals(world, 10) == [HashingBusy] * 10
    assert await refusals(world, 6) == [InvalidCredentials] * 5 + [Throttled]


async def test_the_last_guess_is_written_down(world: World) -> None:
    """LA-01."""
    user = await world.register()
    await refusals(world, 9)
    events = await world.events_of(user.id)
    assert events.count("sign_in.guesses_used_up") == 1
    assert events.count("sign_in.refused") == 5


async def change(world: World, user: User, tokens: IssuedTokens) -> None:
    await world.container.resolve(ChangePassword).execute(
        user_id=user.id, session_id=tokens.session_id, current=WRONG, new="a louder harbour at noon"
    )


async def prove(world: World, user: User, tokens: IssuedTokens) -> None:
    await world.container.resolve(Reauthenticate).execute(user_id=user.id, session_id=tokens.session_id, proof=WRONG)


async def test_lg_08_a_session_has_guesses_of_its_own_shared_by_all_that_ask_for_the_password(world: World) -> None:
    """Incident 4."""
    user = await world.register()
    mine, other = await world.sign_in(), await world.sign_in()
    await attack(world, networks=60)
    ways = [change, prove] * 5
    for way in ways:
        with pytest.raises(WrongPassword):
            await way(world, user, mine)
    for way in (change, prove):
        with pytest.raises(Throttled):
            await way(world, user, mine)
        with pytest.raises(WrongPassword):
            await way(world, user, other)
    assert (await world.events_of(user.id)).count("sign_in.guesses_used_up") >= 1


async def test_fault_43_without_counters_no_password_is_looked_at_and_sessions_go_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()
    tokens = await guess(world, PASSWORD)

    async def broken(*_: object, **__: object) -> None:
        raise ThrottlesUnavailable

    compared = world.passwords.comparisons
    monkeypatch.setattr(MemoryRateLimiter, "use", broken)
    with pytest.raises(ThrottlesUnavailable):
        await guess(world, PASSWORD)
    assert world.passwords.comparisons == compared
    assert (await world.refresh(tokens.refresh_token)).session_id == tokens.session_id


async def test_a_guess_that_was_right_counts_even_if_it_cannot_be_given_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()

    async def broken(*_: object) -> None:
        raise ThrottlesUnavailable

    monkeypatch.setattr(MemoryRateLimiter, "give_back", broken)
    for _ in range(5):
        await guess(world, PASSWORD)
    with pytest.raises(Throttled):
        await guess(world, PASSWORD)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        (None, "nowhere"),
        ("testclient", "nowhere"),
        ("192.0.2.7, 10.0.0.1", "nowhere"),
        ("", "nowhere"),
    ],
)
def test_lg_05_a_network_is_what_one_customer_has(address: str | None, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize("address", ["ada@bücher.example.com", "nobody@bücher.example.com"])
async def test_incident_50_another_spelling_of_an_address_is_no_other_counter(world: World, address: str) -> None:
    await world.register("ada@bücher.example.com")
    spellings = [address, address.upper(), address.replace("bücher", "xn--bcher-kva"), address.title()]
    found = [refusal for email in spellings * 2 for refusal in await refusals(world, 1, email=email)]
    assert found == [InvalidCredentials] * 5 + [Throttled] * 3
