"""The last value that is accepted, and the first that is not."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from application.paging.page import page_of
from application.sessions.note_seen import SEEN_AT_MOST_EVERY, NoteSeen
from application.signing.key_ring import KeyRing
from application.signing.rotate_signing_key import RotateSigningKey
from domain import crockford
from domain.errors import InvalidFields
from domain.signing.signing_key import KeyState, SigningPolicy
from domain.throttling.throttle import MAX_NAME_LENGTH, MAX_OWNER_LENGTH, Limit, Throttle
from domain.users import profile
from domain.users.password_policy import MAX_LENGTH, PasswordPolicy, PasswordRejected
from domain.users.roles import MAX_ROLE_LENGTH, MAX_ROLES, roles
from domain.users.suspension import MAX_REASON_LENGTH, checked_reason
from tests.world import World, new_user

MINUTE = timedelta(minutes=1)
MOMENT = timedelta(microseconds=1)


def language(length: int) -> str:
    """A tag of so many letters."""
    return "-".join(["en", *["abcdefgh"] * 3, "a" * (length - 30)])


@pytest.mark.parametrize(
    ("make", "longest"),
    [
        (lambda length: checked_reason("x" * length), MAX_REASON_LENGTH),
        (lambda length: roles(["x" * length]), MAX_ROLE_LENGTH),
        (lambda count: roles(f"role{number}" for number in range(count)), MAX_ROLES),
        (lambda length: profile.locale(language(length)), profile.MAX_LOCALE_LENGTH),
        (lambda length: profile.display_name("x" * length), profile.MAX_DISPLAY_NAME_LENGTH),
    ],
    ids=["reason", "role", "roles", "locale", "display name"],
)
def test_what_is_given_may_be_so_long_and_no_longer(make: Callable[[int], object], longest: int) -> None:
    assert make(longest)
    with pytest.raises(InvalidFields):
        make(longest + 1)


@pytest.mark.parametrize(
    ("make", "longest"),
    [
        (lambda length: Throttle(owner="x" * length, name="x", limit=Limit(1, MINUTE)), MAX_OWNER_LENGTH),
        (lambda length: Throttle(owner="x", name="x" * length, limit=Limit(1, MINUTE)), MAX_NAME_LENGTH),
        (lambda length: PasswordPolicy(is_common=lambda _: False, min_length=length), MAX_LENGTH),
    ],
    ids=["owner of a counter", "name of a counter", "shortest password"],
)
def test_what_we_say_ourselves_may_be_so_long_and_no_longer(make: Callable[[int], object], longest: int) -> None:
    assert make(longest)
    with pytest.raises(ValueError, match=r"."):
        make(longest + 1)


def test_pw_05_eight_characters_beside_what_is_known_are_enough() -> None:
    policy, user = PasswordPolicy(is_common=lambda _: False, min_length=8), new_user("ada@example.com")
    accepted = policy.accept("hallporter qwertzui", email=user.email, display_name=None)
    assert accepted.text == "hallporter qwertzui"
    with pytest.raises(PasswordRejected):
        policy.accept("hallporter qwertzu", email=user.email, display_name=None)


def test_pw_05_a_word_of_four_letters_is_known_and_one_of_three_is_not() -> None:
    policy, user = PasswordPolicy(is_common=lambda _: False, min_length=8), new_user("x@example.com")
    with pytest.raises(PasswordRejected):
        policy.accept("lovelacelove", email=user.email, display_name="Love Lace")
    assert policy.accept("adaadaadaada", email=user.email, display_name="Ada").text == "adaadaadaada"


def test_a_reference_may_have_every_letter_there_is() -> None:
    assert crockford.heard(crockford.ALPHABET, characters=len(crockford.ALPHABET)) == crockford.ALPHABET


@pytest.mark.parametrize(("found", "after"), [([], None), ([1, 2], None), ([1, 2, 3], 20)])
def test_a_list_goes_on_where_more_was_found_than_is_shown(found: list[int], after: int | None) -> None:
    page = page_of(found, limit=2, place=lambda number: 10 * number)
    assert (page.items, page.after) == (found[:2], after)


async def test_a_user_is_noted_as_seen_when_the_last_note_is_an_hour_old(world: World) -> None:
    user, note = await world.register(), world.container.resolve(NoteSeen)
    world.clock.advance(SEEN_AT_MOST_EVERY - MOMENT)
    assert not note.is_due(user)
    await note.execute(user=user)
    assert (await world.user()).last_seen_at == user.last_seen_at
    world.clock.advance(MOMENT)
    assert note.is_due(user)
    await note.execute(user=user)
    assert (await world.user()).last_seen_at == world.clock.now()


async def test_sk_03_a_key_is_due_after_ninety_days_and_believed_until_its_tokens_are_over(world: World) -> None:
    rotate = world.container.resolve(RotateSigningKey)
    first = await world.container.resolve(KeyRing).active()
    world.clock.advance(SigningPolicy().rotate_after - MOMENT)
    assert not rotate.is_due(first)
    world.clock.advance(MOMENT)
    assert rotate.is_due(first)
    await rotate.execute()
    retiring_for = timedelta(seconds=world.settings.access_token_lifetime_seconds) + 5 * MINUTE
    world.clock.advance(retiring_for)
    await rotate.execute(at_once=True)
    async with world.unit_of_work.read() as tx:
        states = {key.id: key.state for key in await tx.signing_keys.all()}
    assert states[first.id] is KeyState.REVOKED
