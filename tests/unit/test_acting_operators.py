"""Whatever an operator does, the log says who it was."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import pytest

from application.admin.change_user import ChangeUser
from application.admin.clear_throttles import ClearThrottles
from application.admin.end_user_sessions import EndUserSessions
from application.admin.erase_any_user import EraseAnyUser
from application.admin.reinstate_user import ReinstateUser
from application.admin.request_user_password_reset import RequestUserPasswordReset
from application.admin.suspend_user import SuspendUser
from application.mfa.list_factors import ListFactors
from application.mfa.reset_factor import ResetFactor
from application.signing.key_ring import KeyRing
from application.signing.revoke_signing_key import RevokeSigningKey
from application.signing.rotate_signing_key import RotateSigningKey
from application.users.cancel_deletion import CancelDeletion
from application.users.create_user import CreateUser
from application.users.schedule_deletion import ScheduleDeletion
from domain.ids import UserId
from tests.factors import app_of, verified_user
from tests.world import World

type Act = Callable[[World, UserId, UserId], Awaitable[object]]


async def change(world: World, whom: UserId, by: UserId) -> None:
    await world.container.resolve(ChangeUser).execute(
        user_id=whom, by=by, email="countess@example.com", email_verified=True, display_name="Ada", roles=frozenset()
    )


async def keep_out(world: World, whom: UserId, by: UserId) -> None:
    await world.container.resolve(SuspendUser).execute(user_id=whom, reason="spam", by=by)
    await world.container.resolve(ReinstateUser).execute(user_id=whom, by=by)


async def let_go(world: World, whom: UserId, by: UserId) -> None:
    await world.container.resolve(ScheduleDeletion).execute(user_id=whom, by=by)
    await world.container.resolve(CancelDeletion).execute(user_id=whom, by=by)
    await world.container.resolve(EraseAnyUser).execute(user_id=whom, by=by)


async def reset_factor(world: World, whom: UserId, by: UserId) -> None:
    (factor,) = (await world.container.resolve(ListFactors).execute(user_id=whom)).items
    await world.container.resolve(ResetFactor).execute(user_id=whom, factor_id=factor.id, reason="lost", by=by)


async def revoke_key(world: World, _whom: UserId, by: UserId) -> None:
    active = await world.container.resolve(KeyRing).active()
    await world.container.resolve(RevokeSigningKey).execute(key_id=active.id, by=by)


ACTS: Mapping[str, tuple[Act, set[str]]] = {
    "change": (
        change,
        {"user.email_set", "user.email_verification_set", "user.profile_updated", "user.roles_changed"},
    ),
    "keep out": (keep_out, {"user.suspended", "user.reinstated"}),
    "let go": (let_go, {"user.deletion_scheduled", "user.deletion_cancelled", "user.erased"}),
    "end sessions": (
        lambda world, whom, by: world.container.resolve(EndUserSessions).execute(user_id=whom, by=by),
        {"session.ended"},
    ),
    "reset password": (
        lambda world, whom, by: world.container.resolve(RequestUserPasswordReset).execute(
            user_id=whom, discard=True, by=by
        ),
        {"password_reset.requested", "user.password_discarded"},
    ),
    "clear throttles": (
        lambda world, whom, by: world.container.resolve(ClearThrottles).execute(user_id=whom, by=by),
        {"throttles.cleared"},
    ),
    "create": (
        lambda world, _whom, by: world.container.resolve(CreateUser).execute(
            email="bob@example.com", password=None, by=by
        ),
        {"user.registered", "user.invited"},
    ),
    "reset factor": (reset_factor, {"factor.removed"}),
    "rotate keys": (
        lambda world, _whom, by: world.container.resolve(RotateSigningKey).execute(at_once=True, by=by),
        {"signing_key.retired", "signing_key.activated"},
    ),
    "revoke a key": (revoke_key, {"signing_key.revoked"}),
}


@pytest.mark.parametrize("act", ACTS)
async def test_la_01_what_an_operator_does_is_written_down_as_theirs(world: World, act: str) -> None:
    whom = await verified_user(world)
    await world.container.resolve(ChangeUser).execute(user_id=whom.id, roles=frozenset({"porter"}))
    acting = await world.sign_in()
    if act == "reset factor":
        await app_of(world, whom, acting)
    await world.register("operator@example.com")
    by = (await world.user("operator@example.com")).id
    world.clock.advance(timedelta(hours=1))
    begun = world.clock.now()

    do, expected = ACTS[act]
    await do(world, whom.id, by)

    async with world.unit_of_work.read() as tx:
        written = [entry for entry in await tx.audit_chain.unsealed(limit=1000) if entry.occurred_at >= begun]
    assert expected <= {entry.event for entry in written}
    by_whom = {entry.event: entry.actor_id for entry in written if entry.event in expected}
    assert by_whom == dict.fromkeys(expected, by)
