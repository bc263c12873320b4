"""No order of steps opens a session for a user with a factor but the password and a factor of this very user.

A model beside it knows which codes are good. Everything goes through the use cases, as requests do (MF-07, incident
12). One of the two is an operator, of whom a second factor is required.
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
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from adapters.memory.passkeys import MemoryAuthenticator
from application.admin.reinstate_user import ReinstateUser
from application.mfa.ask_for_factor import FactorRequired
from application.mfa.factor_proof import CodeProof
from application.mfa.make_recovery_codes import MakeRecoveryCodes
from application.mfa.passkey_ceremonies import AskedPasskey
from application.mfa.remove_factor import RemoveFactor
from application.mfa.required_enrolment import RequiredEnrolment
from application.mfa.reset_factor import ResetFactor
from application.sessions.issued_tokens import IssuedTokens
from application.users.change_password import ChangePassword
from domain.errors import DomainError
from domain.ids import CeremonyId, ChallengeId, FactorId
from domain.mfa.requirement import FactorIsRequired, MfaRequirement
from domain.mfa.totp import code_at, step_at
from domain.sessions.principal import Principal
from domain.users.roles import ADMIN
from domain.users.user import User
from tests.factors import App, activate, answer, offered_app, recovery, totp, verified_user
from tests.passkeys import Key, ask, passkey_of, sign_in_by
from tests.world import PASSWORD, PLENTY, SETTINGS, World, make_world

PEOPLE = ("ada@example.com", "eve@example.com")
OPERATOR = PEOPLE[1]
PASSWORDS = (PASSWORD, "the second password of all")
TEN_MINUTES = timedelta(minutes=10)
FIVE_MINUTES = timedelta(minutes=5)
CHANGES = ("enrol", "remove", "add_a_key", "remove_the_key", "reset", "make_codes", "change_the_password", "suspend")
OPEN = SETTINGS.model_copy(
    update=dict.fromkeys(("limit_factor_guesses", "limit_guesses", "limit_all_guesses"), PLENTY)
    | {"limit_guesses_on_known_device": PLENTY, "mfa_required": MfaRequirement.ADMINS}
)

people = st.sampled_from([0, 1])
# Mostly their own.
others = st.sampled_from([False, False, False, True])


@dataclass
class Person:
    """What the model knows about somebody."""

    user: User
    acting: IssuedTokens
    authenticator: MemoryAuthenticator
    bound: bool
    password: str = PASSWORD
    epoch: int = 0
    suspended: bool = False
    app: App | None = None
    last_step: int = -1
    sheet: list[str] = field(default_factory=list)
    codes: set[str] = field(default_factory=set)
    key: Key | None = None

    @property
    def has_factors(self) -> bool:
        return self.app is not None or self.key is not None

    def given(self, codes: list[str]) -> None:
        """A factor came with these, or with none, for there are some still."""
        if codes:
            self.sheet, self.codes = codes, set(codes)

    def lost(self) -> None:
        """A factor has gone; with the last one the codes go."""
        if not self.has_factors:
            self.codes = set()


@dataclass(frozen=True)
class Asked:
    """A challenge, and what it was posed in."""

    id: ChallengeId
    whose: int
    epoch: int
    at: datetime


@dataclass(frozen=True)
class Question:
    """What a passkey was asked, and for which challenge, if for one."""

    asked: AskedPasskey
    challenge: Asked | None
    at: datetime


class SigningIn(RuleBasedStateMachine):
    """Two users, their apps and papers, and somebody who has every challenge and every code."""

    asked: Bundle[Asked] = Bundle("asked")
    questions: Bundle[Question] = Bundle("questions")
    runner: asyncio.Runner
    seen: set[str]

    @initialize()
    def begin(self) -> None:
        self.world: World = make_world(settings=OPEN)
        self.finished: set[ChallengeId] = set()
        self.shown: list[CodeProof] = []
        self.answered: set[CeremonyId] = set()
        self.newest: dict[ChallengeId, CeremonyId] = {}
        self.people = [
            Person(
                user=self.run(verified_user(self.world, email)),
                acting=self.run(self.world.sign_in(email)),
                authenticator=MemoryAuthenticator(credential_id=email.encode(), key=email),
                bound=email == OPERATOR,
            )
            for email in PEOPLE
        ]
        self.run(self.make_operator())
        self.enrol(0)
        self.add_a_key(0)
        self.add_a_key(1)

    async def make_operator(self) -> None:
        async with self.world.unit_of_work.begin() as tx:
            user = await tx.users.get((await self.world.user(OPERATOR)).id)
            user.roles = frozenset({ADMIN})
            await tx.users.save(user)

    async def acting(self, person: Person) -> Principal | None:
        """Who they are to us; their tokens may have expired."""
        async with self.world.unit_of_work.read() as tx:
            return await tx.sessions.find_live(person.acting.session_id, at=self.now())

    @invariant()
    def who_is_bound_goes_on_with_a_factor_alone(self) -> None:
        for person in self.people:
            principal = self.run(self.acting(person))
            assert (principal is None) is person.suspended
            if principal is not None:
                is_due = self.world.container.resolve(RequiredEnrolment).is_due(principal)
                assert is_due is (person.bound and not person.has_factors)
                self.seen.add("has to enrol" if is_due else "goes on")

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
        if not person.has_factors:
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
        sheet = self.people[asked.whose ^ other].sheet
        self.show(asked, recovery(sheet[number] if sheet else "7F3K-Q2MX-9RTB-0ABC-1DEF"))

    @rule(asked=asked, back=st.integers(1, 5))
    def show_what_was_shown(self, asked: Asked, back: int) -> None:
        self.show(asked, self.shown[-back] if len(self.shown) >= back else totp("123456"))

    def show(self, asked: Asked, proof: CodeProof) -> None:
        self.shown.append(proof)
        person = self.people[asked.whose]
        found = self.tried(answer(self.world, asked.id, proof))
        # A challenge that is over has nothing looked at, and nothing used up.
        proven = self.is_good(asked) and self.used(person, proof)
        assert (found is not None) is proven
        if found is not None:
            assert found.user.id == person.user.id
            self.finished.add(asked.id)
            self.seen.add(f"opened by {proof.kind}")

    def is_good(self, asked: Asked) -> bool:
        person = self.people[asked.whose]
        return (
            asked.id not in self.finished
            and asked.epoch == person.epoch
            and self.now() < asked.at + TEN_MINUTES
            and not person.suspended
        )

    @rule(target=questions)
    def ask_for_whichever_key(self) -> Question:
        return Question(self.run(ask(self.world).to_sign_in()), None, self.now())

    @rule(target=questions, asked=asked)
    def ask_for_a_key(self, asked: Asked) -> MultipleResults[Question]:
        question = self.posed(asked)
        return multiple() if question is None else multiple(question)

    @rule(asked=asked, other=others)
    def ask_for_a_key_and_show_it(self, asked: Asked, other: bool) -> None:  # noqa: FBT001  (hypothesis')
        question = self.posed(asked)
        if question is not None:
            self.answer_with(question, asked, asked.whose ^ other)

    def posed(self, asked: Asked) -> Question | None:
        found = self.tried(ask(self.world).as_second_factor(challenge_id=asked.id))
        assert (found is not None) is (self.is_good(asked) and self.people[asked.whose].key is not None)
        if found is None:
            return None
        self.newest[asked.id] = found.ceremony_id
        return Question(found, asked, self.now())

    @rule(question=questions, other=others, alone=others)
    def show_a_key(self, question: Question, other: bool, alone: bool) -> None:  # noqa: FBT001  (hypothesis')
        """In the sign-in that it was asked for, or alone though it was not."""
        whose = question.challenge.whose if question.challenge is not None else 0
        self.answer_with(question, None if alone else question.challenge, whose ^ other)

    @rule(question=questions, asked=asked, who=people)
    def show_a_key_elsewhere(self, question: Question, asked: Asked, who: int) -> None:
        self.answer_with(question, asked, who)

    def answer_with(self, question: Question, where: Asked | None, who: int) -> None:
        """Somebody's authenticator answers, which may have a key that is registered no more."""
        person = self.people[who]
        if person.authenticator.user_handle is None:
            return
        shown = Key(self.world, person.authenticator).answered(question.asked)
        found = self.tried(sign_in_by(self.world, shown) if where is None else answer(self.world, where.id, shown))
        ceremony = question.asked.ceremony_id
        is_looked_at = (
            (where is None or self.is_good(where))
            and question.challenge == where
            and ceremony not in self.answered
            and (where is None or self.newest[where.id] == ceremony)
            and self.now() < question.at + FIVE_MINUTES
        )
        if is_looked_at:
            self.answered.add(ceremony)
        proven = is_looked_at and person.key is not None and not person.suspended
        proven = proven and (where is None or where.whose == who)
        assert (found is not None) is proven
        if found is not None:
            assert found.user.id == person.user.id
            self.seen.add("opened by a key alone" if where is None else "opened by passkey")
            if where is not None:
                self.finished.add(where.id)

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

    @rule(who=people, what=st.sampled_from(CHANGES))
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
        person.app, person.last_step = app, step_at(self.now())
        person.given(app.codes)
        person.epoch += 1

    def add_a_key(self, who: int) -> None:
        person = self.people[who]
        if person.key is not None or person.suspended:
            return
        person.key = self.run(passkey_of(self.world, person.user, person.acting, person.authenticator))
        person.given(person.key.codes)
        person.epoch += 1

    def remove_the_key(self, who: int) -> None:
        person = self.people[who]
        if person.key is not None and not person.suspended and self.take_away(person, person.key.factor_id):
            person.key = None
            person.lost()

    def remove(self, who: int) -> None:
        person = self.people[who]
        if person.app is not None and not person.suspended and self.take_away(person, person.app.factor_id):
            person.app = None
            person.lost()

    def take_away(self, person: Person, factor_id: FactorId) -> bool:
        """By themselves: who is bound keeps the last one."""
        is_last = person.app is None or person.key is None
        remove = self.world.container.resolve(RemoveFactor)
        try:
            self.run(remove.execute(user_id=person.user.id, session_id=person.acting.session_id, factor_id=factor_id))
        except FactorIsRequired:
            assert person.bound
            assert is_last
            self.seen.add("kept")
            return False
        assert not (person.bound and is_last)
        person.epoch += 1
        self.seen.add("removed")
        return True

    def reset(self, who: int) -> None:
        """By an operator, all of them."""
        person = self.people[who]
        if person.suspended or not person.has_factors:
            return
        reset = self.world.container.resolve(ResetFactor)
        for lost in (person.app, person.key):
            if lost is not None:
                self.run(reset.execute(user_id=person.user.id, factor_id=lost.factor_id, reason="lost"))
                person.epoch += 1
        person.app = person.key = None
        person.lost()
        person.acting = self.run(self.come_in(person))

    def make_codes(self, who: int) -> None:
        person = self.people[who]
        make = self.world.container.resolve(MakeRecoveryCodes)
        codes = self.tried(make.execute(user_id=person.user.id, session_id=person.acting.session_id))
        assert (codes is not None) is (person.has_factors and not person.suspended)
        if codes is not None:
            person.given([code.text for code in codes])
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
        if person.app is None:
            assert person.key is not None
            return await answer(self.world, found.challenge_id, await person.key.for_challenge(found.challenge_id))
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
                max_examples=150,
                stateful_step_count=30,
                deadline=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
    # Had a step never worked, nothing would have been shown about what comes after it.
    opened = {f"opened by {kind}" for kind in ("totp", "recovery_code", "passkey", "a key alone")}
    assert seen == {"asked", "removed", "kept", "has to enrol", "goes on"} | opened
