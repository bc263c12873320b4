"""No order of steps changes a user's password without a token for this user, or the current one.

A model beside it knows whose each token is. Everything goes through the use cases, as requests do (RC-02, incidents 1
and 12).
"""

import asyncio
from collections.abc import Awaitable, Coroutine
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from application.recovery.request_email_verification import RequestEmailVerification
from application.recovery.request_password_reset import RequestPasswordReset
from application.recovery.reset_password import ResetPassword
from application.recovery.verify_email import MailedCode, VerifyEmail
from application.users.change_password import ChangePassword
from application.users.confirm_email_change import ConfirmEmailChange
from application.users.request_email_change import RequestEmailChange
from application.users.revert_email_change import RevertEmailChange
from domain.errors import DomainError
from domain.ids import SessionId, UserId
from domain.users.password import Password, PasswordHash
from domain.users.user import User
from tests.world import PASSWORD, World, make_world, token_of

PEOPLE = ("ada@example.com", "bob@example.com")

people = st.sampled_from([0, 1])
passwords = st.sampled_from([PASSWORD, "the second password of all", "the third password of all"])


class Recovery(RuleBasedStateMachine):
    """Two users, their mailboxes, and somebody who has every token and tries everything."""

    tokens: Bundle[tuple[str, int]] = Bundle("tokens")
    runner: asyncio.Runner
    done: set[str]

    @initialize(target=tokens)
    def begin(self) -> MultipleResults[tuple[str, int]]:
        self.world: World = make_world()
        self.users: list[UserId] = []
        self.sessions: list[SessionId] = []
        self.codes = ["", ""]
        self.allowed: UserId | None = None
        for email in PEOPLE:
            user: User = self.run(self.world.register(email))
            self.users.append(user.id)
            self.sessions.append(self.run(self.world.sign_in(email)).session_id)
        self.hashes = {user_id: self.run(self.stored(user_id)) for user_id in self.users}
        tokens = self.mail()
        # One of them has proven the address, so that there is something to revert to.
        first = next(token for token, whose in tokens.values if whose == 0)
        self.run(self.world.container.resolve(VerifyEmail).execute(proof=first, caller=self.users[0]))
        return tokens

    def run[T](self, what: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(what)

    def tried(self, what: Awaitable[object]) -> bool:
        async def trial() -> bool:
            try:
                await what
            except DomainError:
                return False
            return True

        worked = self.run(trial())
        if worked:
            self.done.add(getattr(what, "__qualname__", ""))
        return worked

    def mail(self) -> MultipleResults[tuple[str, int]]:
        """The tokens that were mailed since, each with whose it is."""
        found = []
        for mail in self.run(self.world.work()):
            if "link" in mail.content:
                found.append((token_of(mail), self.users.index(self.run(self.owner(mail.id)))))
            if "code" in mail.content:
                self.codes[PEOPLE.index(mail.recipient.canonical)] = mail.content["code"]
        return multiple(*found)

    async def owner(self, message_id: object) -> UserId:
        async with self.world.unit_of_work.read() as tx:
            return next(message.user_id for message in await tx.messages.page(limit=500) if message.id == message_id)

    @rule(target=tokens, who=people)
    def ask_for_a_reset(self, who: int) -> MultipleResults[tuple[str, int]]:
        self.tried(self.world.container.resolve(RequestPasswordReset).execute(email=PEOPLE[who]))
        return self.mail()

    @rule(target=tokens, who=people)
    def ask_for_a_verification(self, who: int) -> MultipleResults[tuple[str, int]]:
        self.tried(self.world.container.resolve(RequestEmailVerification).execute(email=PEOPLE[who]))
        return self.mail()

    @rule(target=tokens, who=people, number=st.integers(0, 3))
    def ask_to_move(self, who: int, number: int) -> MultipleResults[tuple[str, int]]:
        self.tried(
            self.world.container.resolve(RequestEmailChange).execute(
                user_id=self.users[who], session_id=self.sessions[who], new_email=f"new{number}@example.org"
            )
        )
        return self.mail()

    @rule(token=tokens, password=passwords, forged=st.booleans())
    def reset(self, token: tuple[str, int], password: str, forged: bool) -> None:  # noqa: FBT001  (hypothesis')
        text, whose = token
        shown = f"hp_pr_{text[6:]}" if forged else text
        if self.tried(self.world.container.resolve(ResetPassword).execute(token=shown, new_password=password)):
            assert text.startswith("hp_pr_")
            self.allowed = self.users[whose]

    @rule(token=tokens, signed_in=st.none() | people, password=st.none() | passwords)
    def verify(self, token: tuple[str, int], signed_in: int | None, password: str | None) -> None:
        text, whose = token
        caller = self.users[signed_in] if signed_in is not None else None
        if self.tried(self.world.container.resolve(VerifyEmail).execute(proof=text, caller=caller, password=password)):
            assert text.startswith("hp_ev_")
            self.allowed = self.users[whose]

    @rule(who=people, guess=st.booleans())
    def verify_by_code(self, who: int, guess: bool) -> None:  # noqa: FBT001  (hypothesis')
        code = "00000000" if guess else self.codes[who]
        if self.tried(
            self.world.container.resolve(VerifyEmail).execute(proof=MailedCode(email=PEOPLE[who], code=code))
        ):
            assert code == self.codes[who]
            self.allowed = self.users[who]

    @rule(token=tokens)
    def confirm_the_move(self, token: tuple[str, int]) -> None:
        if self.tried(self.world.container.resolve(ConfirmEmailChange).execute(token=token[0])):
            assert token[0].startswith("hp_ec_")

    @rule(token=tokens)
    def revert_the_move(self, token: tuple[str, int]) -> None:
        if self.tried(self.world.container.resolve(RevertEmailChange).execute(token=token[0])):
            assert token[0].startswith("hp_er_")
            self.allowed = self.users[token[1]]

    @rule(who=people, current=passwords, new=passwords)
    def change(self, who: int, current: str, new: str) -> None:
        knows = self.run(self.world.passwords.matches(Password(current), self.hashes[self.users[who]]))
        if self.tried(
            self.world.container.resolve(ChangePassword).execute(
                user_id=self.users[who], session_id=self.sessions[who], current=current, new=new
            )
        ):
            assert knows
            self.allowed = self.users[who]

    @rule(minutes=st.sampled_from([5, 40, 24 * 60]))
    def time_goes_by(self, minutes: int) -> None:
        self.world.clock.advance(timedelta(minutes=minutes))

    @invariant()
    def no_password_changed_but_the_one_that_might(self) -> None:
        if not hasattr(self, "hashes"):
            return
        for user_id in self.users:
            now = self.run(self.stored(user_id))
            assert now == self.hashes[user_id] or user_id == self.allowed
            self.hashes[user_id] = now
        self.allowed = None

    async def stored(self, user_id: UserId) -> PasswordHash | None:
        async with self.world.unit_of_work.read() as tx:
            return (await tx.users.get(user_id)).password_hash


def test_rc_02_no_way_through_recovery_changes_a_password_without_a_token_for_its_user() -> None:
    done: set[str] = set()
    with asyncio.Runner() as runner:
        machine = type("Machine", (Recovery,), {"runner": runner, "done": done})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=60,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    # Had a step never worked, nothing would have been shown about what comes after it.
    assert {name.partition(".")[0] for name in done} == {
        "RequestPasswordReset",
        "RequestEmailVerification",
        "RequestEmailChange",
        "ResetPassword",
        "VerifyEmail",
        "ConfirmEmailChange",
        "RevertEmailChange",
        "ChangePassword",
    }
