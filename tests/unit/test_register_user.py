"""Registering and creating users."""

from dataclasses import replace

import pytest

from application.users.create_user import CreateUser
from application.users.register_user import RegisterUser
from domain.errors import InvalidFields
from domain.users.password_policy import PasswordRejected
from domain.users.registration import EmailAlreadyRegistered, RegistrationClosed
from domain.users.roles import ADMIN
from entrypoints.settings import Registration
from tests.world import EMAIL, PASSWORD, SETTINGS, World, make_world


async def test_a_registered_user_is_there_with_an_event(world: World) -> None:
    user = await world.container.resolve(RegisterUser).execute(
        email="Ada@Example.com", password=PASSWORD, display_name=" Ada ", locale="en"
    )
    assert user is not None
    async with world.unit_of_work.read() as tx:
        stored = await tx.users.get(user.id)
    assert stored == user
    assert (stored.email.display, stored.display_name, stored.locale) == ("Ada@example.com", "Ada", "en")
    assert (stored.email_verified, stored.roles) == (False, frozenset())
    assert await world.events_of(user.id) == ["user.registered"]


async def test_only_a_hash_of_the_password_is_kept(world: World) -> None:
    user = await world.register()
    assert user.password_hash is not None
    assert PASSWORD not in user.password_hash.encoded


async def test_an_address_can_be_registered_once_whatever_the_spelling(world: World) -> None:
    await world.register()
    with pytest.raises(EmailAlreadyRegistered):
        await world.register(EMAIL.upper())


async def test_a_weak_password_is_refused(world: World) -> None:
    with pytest.raises(PasswordRejected):
        await world.register(password="short")


async def test_the_name_counts_as_context_of_the_password(world: World) -> None:
    with pytest.raises(PasswordRejected):
        await world.container.resolve(RegisterUser).execute(
            email=EMAIL, password="Wilhelmina 1815", display_name="Wilhelmina"
        )


@pytest.mark.parametrize(("email", "name", "locale"), [("nobody", None, None), (EMAIL, "\0", None), (EMAIL, None, "?")])
async def test_invalid_fields_are_refused_before_any_work(
    world: World, email: str, name: str | None, locale: str | None
) -> None:
    with pytest.raises(InvalidFields):
        await world.container.resolve(RegisterUser).execute(
            email=email, password=PASSWORD, display_name=name, locale=locale
        )
    assert world.passwords.hashes == 0


async def test_registration_can_be_closed_while_operators_go_on(world: World) -> None:
    closed = make_world(replace(world.adapters), SETTINGS.model_copy(update={"registration": Registration.CLOSED}))
    with pytest.raises(RegistrationClosed):
        await closed.register()
    user = await closed.container.resolve(CreateUser).execute(
        email=EMAIL, password=PASSWORD, roles=frozenset({ADMIN}), email_verified=True
    )
    assert (user.roles, user.email_verified) == (frozenset({"admin"}), True)
