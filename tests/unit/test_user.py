"""The user aggregate."""

from datetime import timedelta

import pytest

from domain.errors import InvalidFields, StaleVersion
from domain.users.password import PasswordHash
from domain.users.suspension import AlreadySuspended, NotSuspended
from domain.users.user import User
from tests.world import new_user


def events_of(user: User) -> list[str]:
    return [event.name for event in user.collect_events()]


def test_registering_records_an_event_once() -> None:
    user = new_user()
    assert events_of(user) == ["user.registered"]
    assert events_of(user) == []
    assert user.version == 1


def test_a_new_user_is_active_unverified_and_without_roles() -> None:
    user = new_user()
    assert user.is_active
    assert not user.email_verified
    assert user.roles == frozenset()


def test_a_profile_change_names_the_fields_and_not_their_contents() -> None:
    user = new_user()
    user.collect_events()
    later = user.created_at + timedelta(hours=1)
    assert user.update_profile(at=later, display_name="  Ada  ", locale="de-CH")
    (event,) = user.collect_events()
    assert event.details() == {"changed": ["display_name", "locale"], "by": None}
    assert (user.display_name, user.locale, user.updated_at) == ("Ada", "de-CH", later)


def test_saying_the_same_again_changes_nothing() -> None:
    user = new_user(name="Ada")
    user.collect_events()
    assert not user.update_profile(at=user.created_at + timedelta(hours=1), display_name="Ada")
    assert events_of(user) == []
    assert user.updated_at == user.created_at


def test_none_empties_a_field_and_absence_leaves_it() -> None:
    user = new_user(name="Ada")
    user.update_profile(at=user.created_at, locale="en")
    user.update_profile(at=user.created_at, display_name=None)
    assert (user.display_name, user.locale) == (None, "en")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "   ",
        "\u3164",
        "\u200d",
        "A\u061c",
        "A\u00adB",
        "\ue000",
        "x" * 101,
        "A\nB",
        "A\0",
        "A\u202eB",
        "A\u200bB",
        "\ud800",
        "A\u2028B",
    ],
)
def test_a_display_name_cannot_disturb_the_text_around_it(name: str) -> None:
    """IN-03."""
    user = new_user()
    with pytest.raises(InvalidFields) as refusal:
        user.update_profile(at=user.created_at, display_name=name)
    assert [violation.field for violation in refusal.value.violations] == ["display_name"]


def test_a_display_name_may_be_of_any_script() -> None:
    user = new_user()
    for name in ("Ada", "Ægir", "李小龍", "Nguyễn", "🗝 Porter", "👩\u200d💻", "می\u200cخواهم", "x" * 100):
        user.update_profile(at=user.created_at, display_name=name)
        assert user.display_name == name


@pytest.mark.parametrize("tag", ["", "e", "EN", "en_US", "en-", "en-" + "x" * 40, "en\n"])
def test_a_locale_is_a_language_tag(tag: str) -> None:
    user = new_user()
    with pytest.raises(InvalidFields):
        user.update_profile(at=user.created_at, locale=tag)


def test_suspending_ends_the_epoch_and_reinstating_does_not_bring_it_back() -> None:
    user = new_user()
    user.collect_events()
    user.suspend(reason="spam", at=user.created_at)
    with pytest.raises(AlreadySuspended):
        user.suspend(reason="spam", at=user.created_at)
    assert (user.is_active, user.security_epoch) == (False, 1)
    user.reinstate(at=user.created_at)
    with pytest.raises(NotSuspended):
        user.reinstate(at=user.created_at)
    assert (user.is_active, user.security_epoch) == (True, 1)
    assert events_of(user) == ["user.suspended", "user.reinstated"]


def test_a_caller_must_speak_about_the_present_version() -> None:
    user = new_user()
    user.expect_version(1)
    with pytest.raises(StaleVersion):
        user.expect_version(2)


def test_the_password_hash_never_prints() -> None:
    user = new_user()
    user.password_hash = PasswordHash(owner=user.id, encoded="$argon2id$")
    assert "$argon2id$" not in repr(user)
