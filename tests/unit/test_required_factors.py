"""Who has to enrol a second factor first: what no request alone can show."""

from application.sessions.access_tokens import AccessTokens
from application.sessions.open_session import OpenSession
from domain.mfa.requirement import MfaRequirement
from domain.sessions.authentication_method import AuthenticationMethod
from domain.sessions.session import Device
from tests.factors import app_of, verified_user
from tests.world import SETTINGS, World, make_world


async def is_for_enrolment(world: World, token: str) -> bool:
    tokens = world.container.resolve(AccessTokens)
    return tokens.is_for_enrolment(await tokens.verify(token))


async def test_mf_09_a_factor_that_is_enrolled_meanwhile_makes_no_token_of_the_password_one_for_services() -> None:
    """The session is dead: who began it has shown no factor. Services would not know, and believe the token."""
    world = make_world(settings=SETTINGS.model_copy(update={"mfa_required": MfaRequirement.EVERYONE}))
    before = await verified_user(world)
    first = await world.sign_in()
    assert await is_for_enrolment(world, first.access_token)
    await app_of(world, before, first)
    late = await world.container.resolve(OpenSession).execute(
        user=before, methods=(AuthenticationMethod.PASSWORD,), device=Device()
    )
    assert await is_for_enrolment(world, late.access_token)
    assert not await is_for_enrolment(world, (await world.refresh(first.refresh_token)).access_token)
