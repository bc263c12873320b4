"""Users' passkeys and what they are asked: one owner each, one answer each, and gone with their user."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from adapters.memory.clock import MemoryClock
from adapters.postgres.database import open_engine
from adapters.system.randomness import SystemRandomness
from application.ports.passkeys import PasskeyProof
from application.ports.unit_of_work import DuplicateKey, UnitOfWork
from domain.errors import ConcurrentUpdate
from domain.ids import CeremonyId, FactorId, UserId
from domain.mfa.factor import FactorKind
from domain.mfa.passkey import Passkey, PasskeyAlreadyRegistered, PasskeyPublicKey
from domain.mfa.passkey_ceremony import PasskeyCeremony, PasskeyPurpose
from domain.users.user import User, UserNotFound
from tests.conftest import unit_of_work_on
from tests.contracts.test_factors import new_factor
from tests.world import new_user

NOW = MemoryClock().now()
TICK = timedelta(microseconds=1)
FIVE_MINUTES = timedelta(minutes=5)

_randomness = SystemRandomness()


def new_passkey(
    user: User, *, credential_id: bytes = b"passkey", sign_count: int = 0, after: timedelta = timedelta()
) -> Passkey:
    return Passkey(
        id=FactorId(_randomness.uuid(at=NOW + after)),
        user_id=user.id,
        name="Telephone",
        user_handle=b"handle of Ada",
        public=PasskeyPublicKey(
            credential_id=credential_id,
            public_key=b"key",
            sign_count=sign_count,
            backup_eligible=True,
            backed_up=False,
            user_verified=True,
            transports=("internal", "hybrid"),
            aaguid="ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4",
        ),
        created_at=NOW + after,
        last_used_at=NOW + after,
    )


def new_ceremony(
    user: User | None = None, purpose: PasskeyPurpose = PasskeyPurpose.SIGN_IN, bound_to: UUID | None = None
) -> PasskeyCeremony:
    return PasskeyCeremony(
        id=CeremonyId(_randomness.uuid(at=NOW)),
        purpose=purpose,
        challenge=bytes(range(32)),
        expires_at=NOW + FIVE_MINUTES,
        user_id=user.id if user is not None else None,
        bound_to=bound_to,
        user_handle=b"handle of Ada" if purpose is PasskeyPurpose.REGISTRATION else None,
    )


@pytest.mark.parametrize("has_app", [None, "pending", "active"])
@pytest.mark.parametrize("has_passkey", [False, True])
async def test_whoever_signs_in_is_found_with_the_kinds_of_factors_that_count(
    uow: UnitOfWork, has_app: str | None, *, has_passkey: bool
) -> None:
    user, other = await kept_user(uow), await kept_user(uow, "bob@example.com")
    async with uow.begin() as tx:
        if has_app is not None:
            await tx.totp_factors.add(new_factor(user, active=has_app == "active"))
        if has_passkey:
            await tx.passkeys.add(new_passkey(user))
    async with uow.read() as tx:
        found = await tx.users.find_with_factors(user.email)
        assert await tx.users.find_with_factors(other.email) == (other, frozenset())
        assert await tx.users.find_with_factors(new_user("nobody@example.com").email) is None
    kinds = {FactorKind.TOTP: has_app == "active", FactorKind.PASSKEY: has_passkey}
    assert found == (user, frozenset(kind for kind, is_there in kinds.items() if is_there))


async def kept_user(uow: UnitOfWork, email: str = "ada@example.com") -> User:
    user = new_user(email)
    async with uow.begin() as tx:
        await tx.users.add(user)
    return user


async def keep(uow: UnitOfWork, *things: Passkey | PasskeyCeremony) -> None:
    async with uow.begin() as tx:
        for thing in things:
            if isinstance(thing, Passkey):
                await tx.passkeys.add(thing)
            else:
                await tx.passkey_ceremonies.add(thing)


async def found(uow: UnitOfWork, credential_id: bytes = b"passkey") -> Passkey | None:
    async with uow.read() as tx:
        return await tx.passkeys.find(credential_id)


async def taken(
    uow: UnitOfWork,
    ceremony: PasskeyCeremony,
    *,
    purpose: PasskeyPurpose = PasskeyPurpose.SIGN_IN,
    bound_to: UUID | None = None,
    after: timedelta = timedelta(),
) -> PasskeyCeremony | None:
    async with uow.begin() as tx:
        return await tx.passkey_ceremonies.take(ceremony.id, purpose=purpose, bound_to=bound_to, at=NOW + after)


async def test_what_is_kept_is_handed_out_unchanged_and_oldest_first(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    second = new_passkey(ada, credential_id=b"second", after=timedelta(seconds=1))
    first, other = new_passkey(ada, credential_id=bytes(1023)), new_passkey(bob, credential_id=b"other")
    await keep(uow, second, first, other)
    async with uow.read() as tx:
        assert await tx.passkeys.of_user(ada.id) == [first, second]
        assert await tx.passkeys.of_user(UserId(uuid4())) == []
    assert await found(uow, bytes(1023)) == first
    assert await found(uow, b"other") == other
    assert await found(uow, b"unknown") is None


async def test_pk_07_no_passkey_belongs_to_two_users_or_twice_to_one(uow: UnitOfWork) -> None:
    ada, bob = await kept_user(uow), await kept_user(uow, "bob@example.com")
    passkey = new_passkey(ada)
    await keep(uow, passkey)
    for again in (new_passkey(ada), new_passkey(bob)):
        with pytest.raises(PasskeyAlreadyRegistered):
            await keep(uow, again)
    twice = new_passkey(ada, credential_id=b"second")
    twice.id = passkey.id
    with pytest.raises(DuplicateKey):
        await keep(uow, twice)
    assert await found(uow) == passkey


async def test_pk_07_of_all_who_register_one_at_once_one_gets_it(uow: UnitOfWork) -> None:
    users = [await kept_user(uow, f"user{number}@example.com") for number in range(10)]
    results = await asyncio.gather(*(keep(uow, new_passkey(user)) for user in users), return_exceptions=True)
    assert sorted(str(type(result).__name__) for result in results) == ["NoneType", *["PasskeyAlreadyRegistered"] * 9]


async def test_nothing_is_kept_of_nobody(uow: UnitOfWork) -> None:
    nobody = new_user()
    for thing in (new_passkey(nobody), new_ceremony(nobody, PasskeyPurpose.REGISTRATION, uuid4())):
        with pytest.raises(UserNotFound):
            await keep(uow, thing)


async def test_all_of_it_goes_with_its_user(uow: UnitOfWork) -> None:
    ada = await kept_user(uow)
    session = uuid4()
    asked, open_to_all = new_ceremony(ada, PasskeyPurpose.FRESH_PROOF, session), new_ceremony()
    await keep(uow, new_passkey(ada), asked, open_to_all)
    async with uow.begin() as tx:
        await tx.users.remove(ada.id)
    assert await found(uow) is None
    assert await taken(uow, asked, purpose=PasskeyPurpose.FRESH_PROOF, bound_to=session) is None
    assert await taken(uow, open_to_all) == open_to_all


async def test_saving_keeps_the_name_alone_and_no_other_version(uow: UnitOfWork) -> None:
    ada = await kept_user(uow)
    await keep(uow, new_passkey(ada, sign_count=1))
    mine, other = await found(uow), await found(uow)
    assert mine is not None
    assert other is not None
    proof = PasskeyProof(sign_count=7, backed_up=True, user_verified=True)
    async with uow.begin() as tx:
        assert await tx.passkeys.note_use(mine, proof, at=NOW + TICK)
        mine.name = None
        await tx.passkeys.save(mine)
    now = await found(uow)
    assert now is not None
    assert (now.name, now.version, now.public.sign_count, now.public.backed_up) == (None, 2, 7, True)
    assert (mine.version, now.last_used_at) == (2, NOW + TICK)
    other.name = "Key ring"
    with pytest.raises(ConcurrentUpdate):
        async with uow.begin() as tx:
            await tx.passkeys.save(other)
    async with uow.begin() as tx:
        await tx.passkeys.remove(now)
        assert not await tx.passkeys.note_use(now, proof, at=NOW)
    with pytest.raises(ConcurrentUpdate):
        async with uow.begin() as tx:
            await tx.passkeys.save(now)


async def test_renaming_removing_and_registering_are_written_down(uow: UnitOfWork) -> None:
    ada = await kept_user(uow)
    ada.verify_email(by_own_hand=True, at=NOW)
    public = new_passkey(ada).public
    passkey = Passkey.register(
        id=FactorId(_randomness.uuid(at=NOW)), user=ada, name=None, user_handle=b"h", public=public, at=NOW
    )
    await keep(uow, passkey)
    async with uow.begin() as tx:
        passkey.rename("Telephone", at=NOW)
        await tx.passkeys.save(passkey)
        passkey.remove(at=NOW)
        await tx.passkeys.remove(passkey)
    async with uow.read() as tx:
        events = [entry.event for entry in await tx.audit.of_user(ada.id)]
    assert events[:3] == ["factor.removed", "factor.renamed", "factor.enrolled"]


@pytest.mark.parametrize(("count", "winners"), [(5, 1), (0, 10)])
async def test_pk_06_of_answers_at_once_with_one_count_one_counts_where_it_counts(
    uow: UnitOfWork, count: int, winners: int
) -> None:
    await keep(uow, new_passkey(await kept_user(uow), sign_count=count))
    passkey = await found(uow)
    assert passkey is not None
    proof = PasskeyProof(sign_count=count + 1 if count else 0, backed_up=False, user_verified=True)

    async def use() -> bool:
        async with uow.begin() as tx:
            return await tx.passkeys.note_use(passkey, proof, at=NOW)

    assert sum(await asyncio.gather(*(use() for _ in range(10)))) == winners


async def test_pk_01_a_ceremony_is_good_once_for_its_purpose_and_where_it_was_begun(uow: UnitOfWork) -> None:
    ada, session = await kept_user(uow), uuid4()
    ceremony = new_ceremony(ada, PasskeyPurpose.REGISTRATION, session)
    await keep(uow, ceremony)
    for purpose, bound_to in (
        (PasskeyPurpose.REGISTRATION, None),
        (PasskeyPurpose.REGISTRATION, uuid4()),
        (PasskeyPurpose.FRESH_PROOF, session),
        (PasskeyPurpose.SIGN_IN, None),
    ):
        assert await taken(uow, ceremony, purpose=purpose, bound_to=bound_to) is None
    assert await taken(uow, ceremony, purpose=PasskeyPurpose.REGISTRATION, bound_to=session) == ceremony
    assert await taken(uow, ceremony, purpose=PasskeyPurpose.REGISTRATION, bound_to=session) is None


async def test_pk_01_a_ceremony_is_over_after_five_minutes(uow: UnitOfWork) -> None:
    early, late = new_ceremony(), new_ceremony()
    await keep(uow, early, late)
    assert await taken(uow, early, after=FIVE_MINUTES - TICK) == early
    assert await taken(uow, late, after=FIVE_MINUTES) is None


async def test_a_ceremony_ends_that_of_before_for_the_same_and_no_other(uow: UnitOfWork) -> None:
    ada, session = await kept_user(uow), uuid4()
    before, after = (new_ceremony(ada, PasskeyPurpose.FRESH_PROOF, session) for _ in range(2))
    other = new_ceremony(ada, PasskeyPurpose.REGISTRATION, session)
    elsewhere = new_ceremony(ada, PasskeyPurpose.FRESH_PROOF, uuid4())
    strangers = [new_ceremony(), new_ceremony()]
    await keep(uow, before, other, elsewhere, *strangers)
    await keep(uow, after)
    good = [
        ceremony
        for ceremony in (before, other, elsewhere, after, *strangers)
        if await taken(uow, ceremony, purpose=ceremony.purpose, bound_to=ceremony.bound_to)
    ]
    assert good == [other, elsewhere, after, *strangers]


async def test_ceremonies_that_are_over_are_forgotten(uow: UnitOfWork) -> None:
    await keep(uow, *(new_ceremony() for _ in range(3)))
    for before, removed in ((NOW + FIVE_MINUTES, 0), (NOW + FIVE_MINUTES + TICK, 2), (NOW + FIVE_MINUTES + TICK, 1)):
        async with uow.begin() as tx:
            assert await tx.passkey_ceremonies.purge(expired_before=before, limit=2) == removed


async def test_pk_01_of_a_hundred_answers_at_once_in_two_processes_one_is_looked_at(
    postgres_uow: UnitOfWork, database: str
) -> None:
    ceremony = new_ceremony()
    await keep(postgres_uow, ceremony)
    async with (
        open_engine(database, pool_size=20, pool_timeout=60) as one,
        open_engine(database, pool_size=20, pool_timeout=60) as other,
    ):
        pair = [unit_of_work_on(one), unit_of_work_on(other)]
        results = await asyncio.gather(*(taken(pair[number % 2], ceremony) for number in range(100)))
    assert [result for result in results if result is not None] == [ceremony]


async def test_pk_01_of_many_answers_at_once_one_is_looked_at(uow: UnitOfWork) -> None:
    ceremony = new_ceremony()
    await keep(uow, ceremony)
    results = await asyncio.gather(*(taken(uow, ceremony) for _ in range(10)))
    assert [result for result in results if result is not None] == [ceremony]
