"""`hallporter users factors …`."""

from typing import Annotated
from uuid import UUID

import typer

from adapters.http.schemas.factors import FactorList
from application.messages.drafts import readable
from application.mfa.list_factors import Factors, ListFactors
from application.mfa.reset_factor import ResetFactor
from application.users.get_user import GetUser
from domain.ids import FactorId
from entrypoints.cli.printing import AsJson, print_rows
from entrypoints.cli.running import id_or_email, run
from entrypoints.container import Container

app = typer.Typer(help="See second factors, and take them from whoever has lost them.", no_args_is_help=True)

Who = Annotated[str, typer.Argument(help="Whose: id or e-mail address.")]


@app.command("list")
def list_factors(who: Who, *, as_json: AsJson = False) -> None:
    """List a user's second factors, oldest first."""

    async def command(container: Container) -> Factors:
        user = await container.resolve(GetUser).execute(who=id_or_email(who))
        return await container.resolve(ListFactors).execute(user_id=user.id)

    factors = run(command)
    rows = [factor.model_dump(mode="json") for factor in FactorList.of(factors).items]
    print_rows(rows, as_json=as_json, otherwise="This user has no second factor.")
    if rows and not as_json:
        typer.echo(f"Recovery codes left: {factors.recovery_codes_left}")


@app.command()
def reset(
    who: Who,
    *,
    reason: Annotated[str, typer.Option(help="Why. The user finds it in their own history.")],
    factor: Annotated[UUID | None, typer.Option(help="This one alone, by its id; left out: all of them.")] = None,
) -> None:
    """Take second factors away. Every session of the user ends, and they are told by mail.

    Where resets are held, that is later: using one of them until then keeps them all.
    """

    async def command(container: Container) -> str:
        user = await container.resolve(GetUser).execute(who=id_or_email(who))
        found = (await container.resolve(ListFactors).execute(user_id=user.id)).items
        factor_ids = [FactorId(factor)] if factor is not None else [each.id for each in found]
        reset = container.resolve(ResetFactor)
        due = [await reset.execute(user_id=user.id, factor_id=factor_id, reason=reason) for factor_id in factor_ids]
        held = " and ".join(sorted({readable(moment) for moment in due if moment is not None}))
        what = f"{len(factor_ids)} second factor(s) of {user.email}"
        return f"{what} will be taken away at {held}, if none is used until then." if held else f"{what} taken away."

    typer.echo(run(command))
