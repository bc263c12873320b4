"""`hallporter users …`."""

import secrets
import shlex
import sys
from datetime import datetime
from typing import Annotated

import typer

from adapters.http.schemas.operated_users import OperatedUserResponse
from application.admin.change_user import ChangeUser, UserChanges
from application.admin.clear_throttles import ClearThrottles
from application.admin.erase_any_user import EraseAnyUser
from application.admin.list_users import ListUsers
from application.admin.reinstate_user import ReinstateUser
from application.admin.request_user_password_reset import RequestUserPasswordReset
from application.admin.suspend_user import SuspendUser
from application.paging.page import MAX_LIMIT
from application.ports.user_search import UserFilter, UserOrder, UserPosition, UserStatus
from application.users.cancel_deletion import CancelDeletion
from application.users.create_user import CreateUser
from application.users.schedule_deletion import ScheduleDeletion
from domain.errors import InvalidFields, Violation
from domain.users.roles import ADMIN
from domain.users.user import User
from entrypoints.cli import transfer
from entrypoints.cli.arguments import TIMES, AsJson, Who, in_utc
from entrypoints.cli.printing import print_fields, print_rows
from entrypoints.cli.running import find, run, run_for
from entrypoints.container import Container

app = typer.Typer(help="Find users, make them, change them, keep them out, let them go.", no_args_is_help=True)

app.command("import")(transfer.import_users)
app.command("export")(transfer.export_users)

_GENERATED_BYTES = 18
# For scripts alone.
_HIDDEN = ("email_verified", "locale", "is_active", "deletion_due_at", "suspension", "has_password", "updated_at")


@app.command()
def create(
    email: Annotated[str, typer.Argument(help="The user's e-mail address. It counts as verified.")],
    *,
    admin: Annotated[bool, typer.Option("--admin", help="Give the role admin.")] = False,
    role: Annotated[list[str] | None, typer.Option(help="Give a role of your own; may be repeated.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Display name.")] = None,
    locale: Annotated[str | None, typer.Option(help="Language of mails, such as en or de-CH.")] = None,
    generate: Annotated[bool, typer.Option("--generate-password", help="Make a password and print it, once.")] = False,
    invite: Annotated[bool, typer.Option("--invite", help="Mail an invitation; no password is asked for.")] = False,
) -> None:
    """Create a user. The password is asked for, or read from standard input when that is no terminal."""
    if generate and invite:
        raise InvalidFields([Violation("--invite", "invalid", "Whoever is invited chooses a password by themselves.")])
    password = None if invite else secrets.token_urlsafe(_GENERATED_BYTES) if generate else _asked_password()
    roles = frozenset([*(role or ()), *([ADMIN] if admin else ())])

    async def command(container: Container) -> User:
        return await container.resolve(CreateUser).execute(
            email=email, password=password, display_name=name, locale=locale, roles=roles, email_verified=not invite
        )

    user = run(command)
    typer.echo(f"Created {user.email} with id {user.id}{' as admin' if admin else ''}.")
    if invite:
        typer.echo("An invitation is on its way.")
    if generate:
        typer.echo(f"Password: {password}")


@app.command("list")
def list_users(
    *,
    status: Annotated[UserStatus | None, typer.Option(help="Only who stands so.")] = None,
    role: Annotated[str | None, typer.Option(help="Only who has this role.")] = None,
    verified: Annotated[
        bool | None, typer.Option("--verified/--unverified", help="Only whose address is proven, or is not.")
    ] = None,
    email_prefix: Annotated[str | None, typer.Option(help="Only whose address begins so.")] = None,
    created_after: Annotated[datetime | None, typer.Option(help="From then on, in UTC.", formats=TIMES)] = None,
    created_before: Annotated[datetime | None, typer.Option(help="Before then, in UTC.", formats=TIMES)] = None,
    last_seen_before: Annotated[datetime | None, typer.Option(help="Not seen since, in UTC.", formats=TIMES)] = None,
    sort: Annotated[UserOrder | None, typer.Option(help="With a minus, the other way round.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 50,
    after: Annotated[str | None, typer.Option(help="Continue where a list of the same order ended.")] = None,
    as_json: AsJson = False,
) -> None:
    """List users, newest first if nothing else is asked for."""
    only = UserFilter(
        status=status,
        role=role,
        email_verified=verified,
        email_prefix=email_prefix.lower() if email_prefix is not None else None,
        created_after=in_utc(created_after),
        created_before=in_utc(created_before),
        last_seen_before=in_utc(last_seen_before),
    )
    order = sort or only.usual_order
    start = _position(after, order) if after is not None else None

    async def command(container: Container) -> tuple[list[User], UserPosition | None]:
        users, position = container.resolve(ListUsers), start
        found: list[User] = []
        while True:
            page = await users.execute(limit=min(limit - len(found), MAX_LIMIT), only=only, order=order, after=position)
            found += page.items
            position = page.after
            if position is None or len(found) == limit:
                return found, position

    users, position = run(command)
    print_rows([as_row(user) for user in users], as_json=as_json, otherwise="There are no such users.", hidden=_HIDDEN)
    if position is not None:
        # Quoted for a shell: addresses are chosen by strangers, and quotes and back-ticks may be part of them.
        typer.echo(f"For more: --after {shlex.quote(str(position))}", err=True)


@app.command()
def show(who: Who, *, as_json: AsJson = False) -> None:
    """Show one user."""
    print_fields(as_row(find(who)), as_json=as_json)


@app.command()
def change(
    who: Who,
    *,
    name: Annotated[str | None, typer.Option("--name", help="Display name; empty for none.")] = None,
    locale: Annotated[str | None, typer.Option(help="Language of mails; empty for none.")] = None,
    email: Annotated[str | None, typer.Option(help="Another address. Every session ends.")] = None,
    verified: Annotated[
        bool | None, typer.Option("--verified/--unverified", help="Take the address as proven, or not.")
    ] = None,
    give: Annotated[list[str] | None, typer.Option("--give-role", help="A role to give; may be repeated.")] = None,
    take: Annotated[list[str] | None, typer.Option("--take-role", help="A role to take; may be repeated.")] = None,
) -> None:
    """Change what is known about a user, and what they may do."""

    async def command(container: Container, user: User) -> User:
        changes = UserChanges()
        if name is not None:
            changes["display_name"] = name or None
        if locale is not None:
            changes["locale"] = locale or None
        if email is not None:
            changes["email"] = email
        if verified is not None:
            changes["email_verified"] = verified
        if give or take:
            changes["roles"] = (user.roles | frozenset(give or ())) - frozenset(take or ())
        return await container.resolve(ChangeUser).execute(user_id=user.id, expected_version=user.version, **changes)

    print_fields(as_row(run_for(who, command)[1]), as_json=False)


@app.command()
def delete(
    who: Who,
    *,
    erase: Annotated[bool, typer.Option("--erase", help="At once and for good.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Have a user erased after the grace period, or with --erase at once. Every session of theirs ends."""

    async def command(container: Container, user: User) -> str:
        if erase:
            if not yes:
                typer.confirm(f"Erase {user.email} and all that belongs to them, for good?", abort=True)
            await container.resolve(EraseAnyUser).execute(user_id=user.id)
            return f"Erased {user.email}."
        leaving = await container.resolve(ScheduleDeletion).execute(user_id=user.id)
        return f"{user.email} will be erased at {leaving.deletion_due_at:%Y-%m-%d %H:%M} UTC."

    typer.echo(run_for(who, command)[1])


@app.command("keep")
def cancel_deletion(who: Who) -> None:
    """Let a user stay who was to be erased."""
    user, _ = run_for(who, lambda container, user: container.resolve(CancelDeletion).execute(user_id=user.id))
    typer.echo(f"{user.email} stays.")


@app.command("reset-password")
def reset_password(
    who: Who,
    *,
    discard: Annotated[
        bool, typer.Option("--discard", help="Others may know the one of today: it and every session end now.")
    ] = False,
) -> None:
    """Have a user mailed a link for choosing another password."""

    async def command(container: Container, user: User) -> None:
        await container.resolve(RequestUserPasswordReset).execute(user_id=user.id, discard=discard)

    user, _ = run_for(who, command)
    typer.echo(f"A link is on its way to {user.email}.")


@app.command("clear-throttles")
def clear_throttles(who: Who) -> None:
    """Let a user, and everybody else, try the password again."""
    user, _ = run_for(who, lambda container, user: container.resolve(ClearThrottles).execute(user_id=user.id))
    typer.echo(f"{user.email} can try again.")


@app.command()
def suspend(
    who: Who,
    *,
    reason: Annotated[str, typer.Option(help="Why. The user finds it in their own history.")],
    until: Annotated[datetime | None, typer.Option(help="When it ends by itself, in UTC.", formats=TIMES)] = None,
) -> None:
    """Keep a user out. Every session of theirs ends."""
    ends = in_utc(until)

    async def command(container: Container, user: User) -> None:
        await container.resolve(SuspendUser).execute(user_id=user.id, reason=reason, until=ends)

    user, _ = run_for(who, command)
    typer.echo(f"Suspended {user.email}{f' until {ends:%Y-%m-%d %H:%M} UTC' if ends else ''}.")


@app.command()
def reinstate(who: Who) -> None:
    """Let a suspended user in again."""
    user, _ = run_for(who, lambda container, user: container.resolve(ReinstateUser).execute(user_id=user.id))
    typer.echo(f"Reinstated {user.email}.")


def _asked_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password


def as_row(user: User) -> dict[str, object]:
    """What operators see of a user."""
    return OperatedUserResponse.of(user).model_dump(mode="json")


def _position(text: str, order: UserOrder) -> UserPosition:
    try:
        return UserPosition.read(text, order)
    except ValueError:
        detail = "Take it from the end of a list of the same order."
        raise InvalidFields([Violation("--after", "invalid", detail)]) from None
