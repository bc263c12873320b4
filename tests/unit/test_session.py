"""The session aggregate and its refresh tokens."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from domain.errors import DomainError, InvalidInput, concrete_errors
from domain.events import Event
from domain.sessions.refresh_token import RefreshTokenSecret
from domain.sessions.session import Device, EndReason, SessionPolicy
from tests.world import new_session, new_user


def test_a_session_is_live_until_its_last_moment() -> None:
    user = new_user()
    session = new_session(user, SessionPolicy(absolute_lifetime=timedelta(days=1)))
    end = session.created_at + timedelta(days=1)
    assert session.is_live(user=user, at=end - timedelta(microseconds=1))
    assert not session.is_live(user=user, at=end)


def test_a_session_dies_with_the_suspension_and_stays_dead() -> None:
    user = new_user()
    session = new_session(user)
    user.suspend(reason="spam", at=user.created_at)
    assert not session.is_live(user=user, at=session.created_at)
    user.reinstate(at=user.created_at)
    assert not session.is_live(user=user, at=session.created_at)


def test_a_session_ends_once() -> None:
    user = new_user()
    session = new_session(user)
    first, second = session.created_at, session.created_at + timedelta(minutes=1)
    session.end(reason=EndReason.SIGNED_OUT, at=first)
    session.end(reason=EndReason.SIGNED_OUT, at=second)
    assert session.ended_at == first
    assert not session.is_live(user=user, at=first)
    assert [event.name for event in session.collect_events()] == ["session.started", "session.ended"]


def test_an_endless_user_agent_is_cut() -> None:
    assert Device(user_agent="x" * 10_000).user_agent == "x" * 512


def test_events_hold_what_json_can_hold() -> None:
    session = new_session(new_user())
    (event,) = session.collect_events()
    assert event.details() == {"session_id": str(session.id), "methods": ["pwd"]}


def test_an_event_cannot_hold_anything_else() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Odd(Event):
        name = "odd"
        what: object

    with pytest.raises(TypeError, match="bytes"):
        Odd(user_id=None, occurred_at=new_user().created_at, what=b"secret").details()


def test_a_refresh_token_has_prefix_and_checksum() -> None:
    token = RefreshTokenSecret.from_random(bytes(32))
    assert token.text.startswith("hp_rt_" + "A" * 43 + "_")
    assert RefreshTokenSecret.parse(token.text) == token
    assert len(token.digest()) == 32
    assert token.text not in repr(token)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hp_rt_",
        "hp_rt_" + "A" * 43 + "_00000000",
        "hp_xx_" + RefreshTokenSecret.from_random(bytes(32)).text[6:],
        RefreshTokenSecret.from_random(bytes(32)).text + "\n",
        RefreshTokenSecret.from_random(bytes(32)).text.upper(),
        "hp_rt_" + "Ａ" * 43 + "_00000000",
    ],
)
def test_a_mistyped_refresh_token_is_told_without_looking_it_up(text: str) -> None:
    assert RefreshTokenSecret.parse(text) is None


def test_a_refresh_token_needs_256_random_bits() -> None:
    """ST-01."""
    with pytest.raises(ValueError, match="32 random bytes"):
        RefreshTokenSecret.from_random(bytes(31))


def test_refusals_below_a_category_can_be_listed() -> None:
    assert set(concrete_errors(InvalidInput)) < set(concrete_errors(DomainError))
