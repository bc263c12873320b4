"""Why sign-ins were refused: what is kept of it, and for whom."""

from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.password_hasher import MemoryPasswordHasher
from adapters.memory.sign_in_attempts import MemorySignInAttemptRepository
from adapters.memory.users import MemoryUserRepository
from application.admin.explain_sign_in import ExplainSignIn
from application.ports.rate_limiter import RateLimiter
from application.ports.unit_of_work import DatabaseUnavailable
from application.sessions.sign_in import SignIn
from application.throttling.throttle_network import ThrottleNetwork
from application.throttling.throttle_policy import Rate
from application.throttling.visit import Visit
from application.upkeep.purge_expired import PurgeExpired
from application.users.export_user import ExportUser
from domain.errors import DomainError
from domain.ids import UserId
from domain.sessions.session import Device, InvalidCredentials
from domain.sessions.sign_in_attempt import (
    REFERENCE_BYTES,
    Check,
    Outcome,
    Reference,
    SignInAttempt,
    SignInAttemptNotFound,
)
from domain.throttling.throttle import Throttle, Throttled
from domain.users.password import Password, PasswordHash
from entrypoints.container import build_container
from tests.world import EMAIL, PASSWORD, World

WRONG = "not the password at all"
NOBODY = "nobody@example.com"


async def refused(
    world: World, password: str = WRONG, *, email: str = EMAIL, network: str = "198.51.100.1", **how: object
) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        await world.container.resolve(SignIn).execute(
            email=email,
            password=password,
            device=Device(network_address=network),
            **how,  # type: ignore[arg-type]
        )
    return refusal.value


async def told_to_wait(world: World, **how: object) -> Throttled:
    """The refusal of whoever has used up their guesses: nobody has more than ten."""
    *_, last = [await refused(world, **how) for _ in range(11)]  # type: ignore[arg-type]
    assert isinstance(last, Throttled)
    return last


async def at_the_door(world: World) -> Visit:
    """A request from a network that has nothing left."""
    throttle = world.container.resolve(ThrottleNetwork)
    with suppress(Throttled):
        while True:
            await throttle.count(throttle.visit(rate=Rate.CREDENTIALS, network_address="198.51.100.1"))
    return throttle.visit(rate=Rate.CREDENTIALS, network_address="198.51.100.1")


async def why(world: World, refusal: DomainError) -> SignInAttempt:
    return await world.container.resolve(ExplainSignIn).execute(reference=refusal.reference or "")


def told(attempt: SignInAttempt) -> dict[Check, Outcome]:
    return {step.check: step.outcome for step in attempt.steps}


@given(st.binary(min_size=REFERENCE_BYTES, max_size=32))
def test_a_reference_is_found_again_however_it_is_written_down(bits: bytes) -> None:
    reference = Reference.of(bits)
    bare = reference.text.replace("-", "")
    assert (len(reference.text), len(bare)) == (14, 12)
    for heard in (
        reference.text,
        reference.text.lower(),
        bare,
        " ".join(bare),
        f" {reference.text.replace('-', '--')} ",
        bare.replace("0", "O").replace("1", "l"),
        bare.replace("0", "o").replace("1", "I"),
    ):
        assert Reference.parse(heard) == reference


def test_sixty_bits_are_all_in_it() -> None:
    assert Reference.of(bytes(8)).text == "0000-0000-0000"
    assert Reference.of(b"\xff" * 8).text == "ZZZZ-ZZZZ-ZZZZ"
    single = {Reference.of((1 << bit).to_bytes(8)).text for bit in range(64)}
    # The last four of 64 are left out.
    assert len(single) == 61


@pytest.mark.parametrize(
    "heard", ["", "7F3K-Q2MX-9RT", "7F3K-Q2MX-9RTB1", "7F3K-Q2MX-9RTU", "7F3K_Q2MX_9RTB", "é" * 12]
)
def test_what_is_no_reference_is_none(heard: str) -> None:
    assert Reference.parse(heard) is None


async def test_every_step_is_told_in_order_and_what_was_not_reached_too(world: World) -> None:
    user = await world.register()
    request_id = UUID("5b7c1f0e-3a52-4a55-9d0c-6f0e7c3a9d2b")
    attempt = await why(world, await refused(world, request_id=request_id))
    assert [step.check for step in attempt.steps] == list(Check)
    assert [step.outcome.value for step in attempt.steps] == [
        *("left", "known", "none", "left", "wrong"),
        *("not_reached", "not_reached", "not_reached", "not_reached", "not_reached", "refused"),
    ]
    assert (attempt.user_id, attempt.request_id, attempt.network_address) == (user.id, request_id, "198.51.100.1")
    assert (attempt.occurred_at, attempt.shared) == (world.clock.now(), False)


async def test_the_last_guess_is_told_from_those_before(world: World) -> None:
    await world.register()
    outcomes = [told(await why(world, await refused(world)))[Check.GUESSES] for _ in range(6)]
    assert outcomes == [Outcome.LEFT] * 4 + [Outcome.LAST, Outcome.USED_UP]


@pytest.mark.parametrize("token", [None, "hp_dv_x", "nonsense"])
async def test_a_token_that_is_none_of_this_user_is_told_from_none(world: World, token: str | None) -> None:
    await world.register()
    attempt = await why(world, await refused(world, device_token=token))
    assert told(attempt)[Check.DEVICE] is (Outcome.NONE if token is None else Outcome.STRANGER)


async def test_a_known_device_and_a_former_one_are_told_apart(world: World) -> None:
    user = await world.register()
    token = (await world.sign_in()).device_token
    assert told(await why(world, await refused(world, device_token=token)))[Check.DEVICE] is Outcome.KNOWN
    async with world.unit_of_work.begin() as tx:
        changed = await tx.users.get(user.id)
        changed.security_epoch += 1
        await tx.users.save(changed)
    assert told(await why(world, await refused(world, device_token=token)))[Check.DEVICE] is Outcome.FORMER


async def test_strangers_who_used_up_what_all_have_are_told_from_ones_own_network(world: World) -> None:
    await world.register()
    own = told(await why(world, await told_to_wait(world)))
    for number in range(50):
        await refused(world, network=f"203.0.113.{number}")
    of_all = told(await why(world, await refused(world, network="192.0.2.1")))
    assert (own[Check.GUESSES], of_all[Check.GUESSES]) == (Outcome.USED_UP, Outcome.USED_UP_BY_STRANGERS)
    assert own[Check.PASSWORD] is of_all[Check.PASSWORD] is Outcome.NOT_REACHED


async def test_all_that_one_limit_tells_to_wait_in_one_hour_have_one_reference(world: World) -> None:
    user = await world.register()
    first = await told_to_wait(world)
    kept = await why(world, first)
    assert kept.shared
    assert kept.user_id == user.id
    # Another process keeps nothing else under it.
    world.container = build_container(world.settings, world.adapters)
    world.clock.advance(timedelta(seconds=20))
    again = [await refused(world) for _ in range(20)]
    assert {refusal.reference for refusal in again} == {first.reference}
    assert await why(world, first) == kept
    elsewhere = [await told_to_wait(world, network="192.0.2.1"), await told_to_wait(world, email=NOBODY)]
    world.clock.advance(timedelta(hours=1))
    later = await told_to_wait(world)
    assert len({refusal.reference for refusal in (first, *elsewhere, later)}) == 4


async def test_lg_03_a_reference_does_not_change_when_the_address_is_registered(world: World) -> None:
    before = await told_to_wait(world)
    assert (await why(world, before)).user_id is None
    user = await world.register()
    for token in (None, "hp_dv_x"):
        first = await refused(world, device_token=token)
        async with world.unit_of_work.begin() as tx:
            await tx.users.remove(user.id)
        assert (await refused(world, device_token=token)).reference == first.reference
        user = await world.register()
    assert (await refused(world)).reference == before.reference


async def test_whoever_comes_from_a_network_that_used_up_its_limit_is_told_of_nobody(world: World) -> None:
    await world.register()
    token = (await world.sign_in()).device_token
    found = [
        await refused(world, email=email, device_token=token, visit=await at_the_door(world))
        for email, token in ((EMAIL, "hp_dv_x"), (EMAIL, None), (NOBODY, token), ("nobody", "nonsense"))
    ]
    assert len({refusal.reference for refusal in found}) == 1
    attempt = await why(world, found[0])
    assert [step.outcome.value for step in attempt.steps] == [
        *("used_up", "differs", "not_known"),
        *["not_reached"] * 7,
        "told_to_wait",
    ]
    assert (attempt.user_id, attempt.network_address) == (None, "198.51.100.1")


async def test_a_known_device_that_passes_such_a_network_is_told_what_it_met(world: World) -> None:
    await world.register()
    token = (await world.sign_in()).device_token
    wrong = await why(world, await refused(world, device_token=token, visit=await at_the_door(world)))
    assert [step.outcome.value for step in wrong.steps][:5] == ["used_up", "known", "known", "left", "wrong"]
    waiting = await told_to_wait(world, device_token=token, visit=await at_the_door(world))
    assert [step.outcome.value for step in (await why(world, waiting)).steps][:4] == [
        *("used_up", "known", "known", "used_up")
    ]
    # The same limit, by another way.
    assert (await refused(world, device_token=token)).reference != waiting.reference


async def test_whoever_has_to_wait_is_told_so_though_nothing_can_be_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.register()
    tries = []

    async def fail(_: object, attempt: SignInAttempt) -> None:
        tries.append(attempt)
        raise DatabaseUnavailable(retry_after=timedelta(seconds=2))

    with monkeypatch.context() as patched:
        patched.setattr(MemorySignInAttemptRepository, "add", fail)
        found = [await refused(world, visit=await at_the_door(world)) for _ in range(20)]
    assert {type(refusal) for refusal in found} == {Throttled}
    # One of them may have been slow.
    assert len(tries) == 1
    (reference,) = {refusal.reference for refusal in found}
    with pytest.raises(SignInAttemptNotFound):
        await why(world, found[0])
    world.clock.advance(timedelta(minutes=1))
    assert (await refused(world, visit=await at_the_door(world))).reference == reference
    assert (await why(world, found[0])).reference.text == reference


async def test_a_guess_that_nobody_could_look_at_does_not_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise DatabaseUnavailable(retry_after=timedelta(seconds=2))

    with monkeypatch.context() as patched:
        patched.setattr(MemoryUserRepository, "find_with_factors", fail)
        found = [await refused(world) for _ in range(6)]
    assert {type(refusal) for refusal in found} == {DatabaseUnavailable}
    assert isinstance(await refused(world), InvalidCredentials)


async def erase_while_hashing(world: World, user_id: UserId, monkeypatch: pytest.MonkeyPatch) -> None:
    compare = MemoryPasswordHasher.matches

    async def erase(self: MemoryPasswordHasher, password: Password, hashed: PasswordHash | None) -> bool:
        async with world.unit_of_work.begin() as tx:
            await tx.users.remove(user_id)
        return await compare(self, password, hashed)

    monkeypatch.setattr(MemoryPasswordHasher, "matches", erase)


@pytest.mark.parametrize(("password", "address"), [(WRONG, Outcome.KNOWN), (PASSWORD, Outcome.GONE)])
async def test_whoever_is_erased_meanwhile_is_refused_like_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, password: str, address: Outcome
) -> None:
    user = await world.register()
    await erase_while_hashing(world, user.id, monkeypatch)
    refusal = await refused(world, password)
    assert isinstance(refusal, InvalidCredentials)
    attempt = await why(world, refusal)
    assert (attempt.user_id, told(attempt)[Check.ADDRESS]) == (None, address)


async def test_whoever_is_erased_before_they_are_told_to_wait_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = await world.register()
    for _ in range(5):
        await refused(world)
    use = type(world.adapters.rate_limiter).use

    async def erase(self: RateLimiter, *throttles: Throttle, at: object) -> object:
        async with world.unit_of_work.begin() as tx:
            await tx.users.remove(user.id)
        return await use(self, *throttles, at=at)  # type: ignore[arg-type]

    monkeypatch.setattr(type(world.adapters.rate_limiter), "use", erase)
    refusal = await refused(world)
    assert isinstance(refusal, Throttled)
    assert (await why(world, refusal)).user_id is None


async def test_that_an_operator_looked_is_written_down_with_who_it_was(world: World) -> None:
    user = await world.register()
    porter = await world.register("porter@example.com")
    refusal = await refused(world)
    explain = world.container.resolve(ExplainSignIn)
    for by in (porter.id, None):
        await explain.execute(reference=(refusal.reference or "").lower(), by=by)
    async with world.unit_of_work.read() as tx:
        entries = await tx.audit.of_user(user.id, limit=2)
    assert [(entry.event, dict(entry.details)) for entry in entries] == [
        ("sign_in_attempt.opened", {"by": None, "reference": refusal.reference}),
        ("sign_in_attempt.opened", {"by": str(porter.id), "reference": refusal.reference}),
    ]


@pytest.mark.parametrize("reference", ["", "nonsense", "0000-0000-0000"])
async def test_what_there_is_no_attempt_for_is_not_found(world: World, reference: str) -> None:
    with pytest.raises(SignInAttemptNotFound):
        await world.container.resolve(ExplainSignIn).execute(reference=reference)


async def test_pr_01_attempts_are_forgotten_after_thirty_days_and_not_before(world: World) -> None:
    await world.register()
    refusal = await refused(world)
    world.clock.advance(timedelta(days=30))
    assert (await world.container.resolve(PurgeExpired).execute())["sign_in_attempts"] == 0
    world.clock.advance(timedelta(microseconds=1))
    assert (await world.container.resolve(PurgeExpired).execute())["sign_in_attempts"] == 1
    with pytest.raises(SignInAttemptNotFound):
        await why(world, refusal)


async def test_pr_01_the_export_tells_them(world: World) -> None:
    user = await world.register()
    attempt = await why(world, await refused(world))
    await refused(world, email=NOBODY)
    export = await world.container.resolve(ExportUser).execute(user_id=user.id)
    assert list(export.sign_in_attempts) == [attempt]
