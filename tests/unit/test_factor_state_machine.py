"""No order of steps opens a session for a user with a factor but the password and a factor of this very user.

A model beside it knows which codes are good. Everything goes through the use cases, as requests do (MF-07, incident
12).
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from application.admin.reinstate_user import ReinstateUser
from application.mfa.ask_for_factor import FactorRequired
from application.mfa.factor_proof import CodeProof
from application.mfa.make_recovery_codes import MakeRecoveryCodes
from application.mfa.remove_factor import RemoveFactor
from application.sessions.issued_tokens import IssuedTokens
from application.users.change_password import ChangePassword
from domain.errors import DomainError
from domain.ids import ChallengeId
from domain.mfa.totp import code_at, step_at
from domain.users.user import User
from tests.factors import App, activate, answer, offered_app, recovery, totp, verified_user
from tests.world import PASSWORD, PLENTY, SETTINGS, World, make_world

PEOPLE = ("ada@example.com", "eve@example.com")
PASSWORDS = (PASSWORD, "the second password of all")
TEN_MINUTES = timedelta(minutes=10)
OPEN = SETTINGS.model_copy(
    update=dict.fromkeys(("limit_factor_guesses", "limit_guesses", "limit_all_guesses"), PLENTY)
    | {"limit_guesses_on_known_device": PLENTY}
)

people = st.sampled_from([0, 1])
# Mostly their own.
others = st.sampled_from([False, False, False, True])


@dataclass
class Person:
    """What the model knows about somebody."""

    user: User
    acting: IssuedTokens
    password: str = PASSWORD
    epoch: int = 0
    suspended: bool = False
    app: App | None = None
    last_step: int = -1
    codes: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Asked:
    """A challenge, and what it was posed in."""

    id: ChallengeId
    whose: int
    epoch: int
    at: datetime


class SigningIn(RuleBasedStateMachine):
    """Two users, their apps and papers, and somebody who has every challenge and every code."""

    asked: Bundle[Asked] = Bundle("asked")
    runner: asyncio.Runner
    seen: set[str]

    @initialize()
    def begin(self) -> None:
        self.world: World = make_world(settings=OPEN)
        self.finished: set[ChallengeId] = set()
        self.shown: list[CodeProof] = []
        self.people = [
            Person(user=self.run(verified_user(self.world, email)), acting=self.run(self.world.sign_in(email)))
            for email in PEOPLE
        ]
        self.enrol(0)

    def run[T](self, what: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(what)

    def tried[T](self, what: Coroutine[Any, Any, T]) -> T | None:
        async def trial() -> T | None:
            try:
                return await what
            except DomainError:
                return None

        return self.run(trial())

    def now(self) -> datetime:
        return self.world.clock.now()

    @rule(target=asked, who=people, right=st.sampled_from([True, True, True, False]))
    def show_the_password(self, who: int, right: bool) -> MultipleResults[Asked]:  # noqa: FBT001  (hypothesis')
        person = self.people[who]
        password = person.password if right else "a wrong guess of mine"
        found = self.tried(self.world.begin_sign_in(PEOPLE[who], password))
        right = right and not person.suspended
        if person.app is None:
            assert isinstance(found, IssuedTokens) is right
        else:
            assert isinstance(found, FactorRequired) is right
        if isinstance(found, FactorRequired):
            self.seen.add("asked")
            return multiple(Asked(found.challenge_id, who, person.epoch, self.now()))
        return multiple()

    @rule(asked=asked, other=others, steps=st.sampled_from([-2, -1, 0, 0, 0, 1, 2]))
    def show_the_app(self, asked: Asked, other: bool, steps: int) -> None:  # noqa: FBT001  (hypothesis')
        app = self.people[asked.whose ^ other].app
        self.show(asked, totp(app.code(steps) if app is not None else "123456"))

    @rule(asked=asked, other=others, number=st.integers(0, 9))
    def show_the_paper(self, asked: Asked, other: bool, number: int) -> None:  # noqa: FBT001  (hypothesis')
        app = self.people[asked.whose ^ other].app
        self.show(asked, recovery(app.codes[number] if app is not None else "7F3K-Q2MX-9RTB-0ABC-1DEF"))

    @rule(asked=asked, back=st.integers(1, 5))
    def show_what_was_shown(self, asked: Asked, back: int) -> None:
        self.show(asked, self.shown[-back] if len(self.shown) >= back else totp("123456"))

    def show(self, asked: Asked, proof: CodeProof) -> None:
        self.shown.append(proof)
        person = self.people[asked.whose]
        found = self.tried(answer(self.world, asked.id, proof))
        is_good = (
            asked.id not in self.finished
            and asked.epoch == person.epoch
            and self.now() < asked.at + TEN_MINUTES
            and not person.suspended
        )
        # A challenge that is over has nothing looked at, and nothing used up.
        proven = is_good and self.used(person, proof)
        assert (found is not None) is proven
        if found is not None:
            assert found.user.id == person.user.id
            self.finished.add(asked.id)
            self.seen.add(f"opened by {proof.kind}")

    def used(self, person: Person, proof: CodeProof) -> bool:
        """Whether it is a factor of this person's, which it no longer is then."""
        if proof.typed in person.codes:
            person.codes.remove(proof.typed)
            return True
        if person.app is None or "-" in proof.typed:
            return False
        present = step_at(self.now())
        for step in (present - 1, present, present + 1):
            if step > person.last_step and code_at(person.app.secret, step) == proof.typed:
                person.last_step = step
                return True
        return False

    @rule(who=people, what=st.sampled_from(["enrol", "remove", "make_codes", "change_the_password", "suspend"]))
    def change(self, who: int, what: str) -> None:
        """One rule for all of it: else sign-ins would hardly ever come to their end before something changes."""
        getattr(self, what)(who)

    def enrol(self, who: int) -> None:
        person = self.people[who]
        if person.app is not None:
            return
        app = self.tried(offered_app(self.world, person.user, person.acting))
        assert (app is None) is person.suspended
        if app is None:
            return
        self.run(activate(self.world, person.user, person.acting, app))
        person.app, person.last_step, person.codes = app, step_at(self.now()), set(app.codes)
        person.epoch += 1

    def remove(self, who: int) -> None:
        person = self.people[who]
        if person.app is None or person.suspended:
            return
        remove = self.world.container.resolve(RemoveFactor)
        ids = {"user_id": person.user.id, "session_id": person.acting.session_id}
        self.run(remove.execute(**ids, factor_id=person.app.factor_id))  # type: ignore[arg-type]
        person.app, person.codes = None, set()
        person.epoch += 1
        self.seen.add("removed")

    def make_codes(self, who: int) -> None:
        person = self.people[who]
        make = self.world.container.resolve(MakeRecoveryCodes)
        codes = self.tried(make.execute(user_id=person.user.id, session_id=person.acting.session_id))
        assert (codes is not None) is (person.app is not None and not person.suspended)
        if codes is not None and person.app is not None:
            person.app.codes = [code.text for code in codes]
            person.codes = set(person.app.codes)
            person.epoch += 1

    def change_the_password(self, who: int) -> None:
        person = self.people[who]
        new = PASSWORDS[person.password == PASSWORD]
        change = self.world.container.resolve(ChangePassword)
        ids = {"user_id": person.user.id, "session_id": person.acting.session_id}
        if not person.suspended:
            self.run(change.execute(**ids, current=person.password, new=new))  # type: ignore[arg-type]
            person.password = new
            person.epoch += 1

    def suspend(self, who: int) -> None:
        person = self.people[who]
        if person.suspended:
            self.run(self.world.container.resolve(ReinstateUser).execute(user_id=person.user.id))
            person.suspended = False
            # The session through which they acted ended with the suspension.
            person.acting = self.run(self.come_in(person))
        else:
            self.run(self.world.suspend(person.user.id))
            person.suspended = True
            person.epoch += 1

    async def come_in(self, person: Person) -> IssuedTokens:
        email = person.user.email.display
        found = await self.world.begin_sign_in(email, person.password)
        if isinstance(found, IssuedTokens):
            return found
        assert person.app is not None
        self.world.clock.advance(timedelta(minutes=2))
        tokens = await answer(self.world, found.challenge_id, totp(person.app.code()))
        person.last_step = step_at(self.now())
        return tokens

    @rule(seconds=st.sampled_from([10, 30, 30, 60, 599]))
    def time_goes_by(self, seconds: int) -> None:
        self.world.clock.advance(timedelta(seconds=seconds))


def test_mf_07_no_way_through_signing_in_opens_a_session_without_the_proofs() -> None:
    seen: set[str] = set()
    with asyncio.Runner() as runner:
        machine = type("Machine", (SigningIn,), {"runner": runner, "seen": seen})
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
    assert seen == {"asked", "removed", "opened by totp", "opened by recovery_code"}
