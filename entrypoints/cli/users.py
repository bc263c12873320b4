"""`hallporter users …`."""

import json
import secrets
import sys
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from adapters.http.schemas.users import UserResponse
from application.admin.list_users import ListUsers
from application.admin.reinstate_user import ReinstateUser
from application.admin.suspend_user import SuspendUser
from application.users.create_user import CreateUser
from application.users.get_user import GetUser
from domain.ids import UserId
from domain.users.user import ADMIN, User
from entrypoints.cli.running import run
from entrypoints.container import Container

app = typer.Typer(help="Create, list, show, suspend and reinstate users.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
_GENERATED_BYTES = 18
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
_WIDEST_LINE = 500


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="The user's e-mail address. It counts as verified.")],
    *,
    admin: Annotated[bool, typer.Option("--admin", help="Give the role admin.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="Display name.")] = None,
    generate: Annotated[bool, typer.Option("--generate-password", help="Make a password and print it, once.")] = False,
) -> None:
    """Create a user. The password is asked for, or read from standard input when that is no terminal."""
    password = secrets.token_urlsafe(_GENERATED_BYTES) if generate else _asked_password()
    roles = frozenset({ADMIN}) if admin else frozenset[str]()

    async def command(container: Container) -> User:
        return await container.resolve(CreateUser).execute(
            email=email, password=password, display_name=name, roles=roles, email_verified=True
        )

    user = run(command)
    typer.echo(f"Created {user.email} with id {user.id}{' as admin' if admin else ''}.")
    if generate:
        typer.echo(f"Password: {password}")


@app.command("list")
def list_users(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    before: Annotated[UUID | None, typer.Option(help="Continue after the user with this id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List users, newest first."""

    async def command(container: Container) -> list[User]:
        start = UserId(before) if before is not None else None
        return list(await container.resolve(ListUsers).execute(limit=limit, before=start))

    users = run(command)
    if as_json:
        typer.echo(json.dumps([_as_json(user) for user in users], indent=2))
        return
    if not users:
        typer.echo("There are no users.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "email", "name", "roles", "active", "created"):
        table.add_column(heading, no_wrap=True)
    for user in users:
        created = user.created_at.strftime("%Y-%m-%d %H:%M")
        roles, active = ", ".join(sorted(user.roles)), "yes" if user.is_active else "no"
        table.add_row(str(user.id), *map(escape, (user.email.display, user.display_name or "")), roles, active, created)
    # Never cut: whoever wants less width has --json.
    Console(width=_WIDEST_LINE).print(table, crop=False)
    if len(users) == limit:
        typer.echo(f"For more: --before {users[-1].id}", err=True)


@app.command()
def show(
    who: Annotated[str, typer.Argument(help="Id or e-mail address.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one user."""
    user = run(lambda container: container.resolve(GetUser).execute(who=_id_or_email(who)))
    if as_json:
        typer.echo(json.dumps(_as_json(user), indent=2))
        return
    for name, value in _as_json(user).items():
        typer.echo(f"{name:<18}{value}")


@app.command()
def suspend(
    who: Annotated[str, typer.Argument(help="Id or e-mail address.")],
    *,
    reason: Annotated[str, typer.Option(help="Why. The user finds it in their own history.")],
    until: Annotated[datetime | None, typer.Option(help="When it ends by itself, in UTC.", formats=_TIMES)] = None,
) -> None:
    """Keep a user out. Every session of theirs ends."""
    ends = until.replace(tzinfo=UTC) if until is not None else None

    async def command(container: Container) -> User:
        user = await container.resolve(GetUser).execute(who=_id_or_email(who))
        await container.resolve(SuspendUser).execute(user_id=user.id, reason=reason, until=ends)
        return user

    typer.echo(f"Suspended {run(command).email}{f' until {ends:%Y-%m-%d %H:%M} UTC' if ends else ''}.")


@app.command()
def reinstate(who: Annotated[str, typer.Argument(help="Id or e-mail address.")]) -> None:
    """Let a suspended user in again."""

    async def command(container: Container) -> User:
        user = await container.resolve(GetUser).execute(who=_id_or_email(who))
        await container.resolve(ReinstateUser).execute(user_id=user.id)
        return user

    typer.echo(f"Reinstated {run(command).email}.")


def _asked_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def _id_or_email(text: str) -> UserId | str:
    try:
        return UserId(UUID(text))
    except ValueError:
        return text


def _as_json(user: User) -> dict[str, object]:
    return UserResponse.of(user).model_dump(mode="json")
