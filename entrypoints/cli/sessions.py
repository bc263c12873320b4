"""`hallporter sessions …`."""

from typing import Annotated
from uuid import UUID

import typer

from adapters.http.schemas.sessions import SessionResponse
from adapters.http.schemas.sign_in_attempts import SignInAttemptResponse
from application.admin.end_user_session import EndUserSession
from application.admin.end_user_sessions import EndUserSessions
from application.admin.explain_sign_in import ExplainSignIn
from application.sessions.list_sessions import ListSessions
from application.users.get_user import GetUser
from domain.errors import InvalidFields, Violation
from domain.ids import SessionId
from domain.sessions.session import Session
from domain.sessions.sign_in_attempt import SignInAttempt
from entrypoints.cli.printing import AsJson, print_fields, print_rows
from entrypoints.cli.running import id_or_email, run
from entrypoints.container import Container

# Nobody is at the keyboard of any of them.
_HIDDEN = ("current",)

app = typer.Typer(
    help="See where users are signed in, end that, and say why a sign-in was refused.", no_args_is_help=True
)


@app.command("list")
def list_sessions(
    who: Annotated[str, typer.Argument(help="Whose: id or e-mail address.")], *, as_json: AsJson = False
) -> None:
    """List a user's sessions, last signed in first."""

    async def command(container: Container) -> list[Session]:
        user = await container.resolve(GetUser).execute(who=id_or_email(who))
        return list(await container.resolve(ListSessions).execute(user_id=user.id))

    rows = [SessionResponse.of(session, current=False).model_dump(mode="json") for session in run(command)]
    print_rows(rows, as_json=as_json, otherwise="This user is signed in nowhere.", hidden=_HIDDEN)


@app.command()
def end(
    session_id: Annotated[UUID | None, typer.Argument(help="The session's id, as `sessions list` shows it.")] = None,
    *,
    all_of: Annotated[str | None, typer.Option(help="Every session of this user: id or e-mail address.")] = None,
) -> None:
    """End a session, or every session of a user. Its tokens open nothing from then on."""
    if (session_id is None) is (all_of is None):
        raise InvalidFields([Violation("sessions end", "invalid", "Name a session, or a user with --all-of.")])

    async def command(container: Container) -> str:
        if session_id is not None:
            await container.resolve(EndUserSession).execute(session_id=SessionId(session_id))
            return "The session is over."
        user = await container.resolve(GetUser).execute(who=id_or_email(all_of or ""))
        await container.resolve(EndUserSessions).execute(user_id=user.id)
        return f"{user.email} is signed in nowhere."

    typer.echo(run(command))


@app.command()
def why(
    reference: Annotated[str, typer.Argument(help="What the person was shown: 7F3K-Q2MX-9RTB, however it is written.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say why a sign-in was refused, step by step. That you looked is written down."""

    async def command(container: Container) -> SignInAttempt:
        return await container.resolve(ExplainSignIn).execute(reference=reference)

    attempt = run(command)
    shown = SignInAttemptResponse.of(attempt)
    if as_json:
        typer.echo(shown.model_dump_json(indent=2))
        return
    print_fields(shown.model_dump(mode="json", exclude={"steps", "shared"}), as_json=False)
    if attempt.shared:
        typer.echo("\nEverybody whom this limit told to wait in that hour has this reference; above is the first.")
    typer.echo()
    rows = [{"step": step.check.replace("_", " "), "outcome": step.outcome.replace("_", " ")} for step in attempt.steps]
    print_rows(rows, as_json=False, otherwise="")
