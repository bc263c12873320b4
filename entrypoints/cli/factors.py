"""`hallporter users factors …`."""

from typing import Annotated
from uuid import UUID

import typer

from adapters.http.schemas.factors import FactorList
from application.messages.drafts import readable
from application.mfa.list_factors import ListFactors
from application.mfa.reset_factor import ResetFactor
from domain.ids import FactorId
from domain.users.user import User
from entrypoints.cli.arguments import AsJson, Whose
from entrypoints.cli.printing import print_rows
from entrypoints.cli.running import run_for
from entrypoints.container import Container

app = typer.Typer(help="See second factors, and take them from whoever has lost them.", no_args_is_help=True)


@app.command("list")
def list_factors(who: Whose, *, as_json: AsJson = False) -> None:
    """List a user's second factors, oldest first."""
    _, factors = run_for(who, lambda container, user: container.resolve(ListFactors).execute(user_id=user.id))
    rows = [factor.model_dump(mode="json") for factor in FactorList.of(factors).items]
    print_rows(rows, as_json=as_json, otherwise="This user has no second factor.")
    if rows and not as_json:
        typer.echo(f"Recovery codes left: {factors.recovery_codes_left}")


@app.command()
def reset(
    who: Whose,
    *,
    reason: Annotated[str, typer.Option(help="Why. The user finds it in their own history.")],
    factor: Annotated[UUID | None, typer.Option(help="This one alone, by its id; left out: all of them.")] = None,
) -> None:
    """Take second factors away. Every session of the user ends, and they are told by mail.

    Where resets are held, that is later: using one of them until then keeps them all.
    """

    async def command(container: Container, user: User) -> str:
        found = (await container.resolve(ListFactors).execute(user_id=user.id)).items
        factor_ids = [FactorId(factor)] if factor is not None else [each.id for each in found]
        reset = container.resolve(ResetFactor)
        due = [await reset.execute(user_id=user.id, factor_id=factor_id, reason=reason) for factor_id in factor_ids]
        held = " and ".join(sorted({readable(moment) for moment in due if moment is not None}))
        what = f"{len(factor_ids)} second factor(s) of {user.email}"
        return f"{what} will be taken away at {held}, if none is used until then." if held else f"{what} taken away."

    typer.echo(run_for(who, command)[1])
