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
from domain.errors import InvalidFields, Violation
from domain.ids import SessionId
from entrypoints.cli.arguments import AsJson, Whose
from entrypoints.cli.printing import print_fields, print_rows
from entrypoints.cli.running import run, run_for

# Nobody is at the keyboard of any of them.
_HIDDEN = ("current",)

app = typer.Typer(
    help="See where users are signed in, end that, and say why a sign-in was refused.", no_args_is_help=True
)


@app.command("list")
def list_sessions(who: Whose, *, as_json: AsJson = False) -> None:
    """List a user's sessions, last signed in first."""
    _, sessions = run_for(who, lambda container, user: container.resolve(ListSessions).execute(user_id=user.id))
    rows = [SessionResponse.of(session, current=False).model_dump(mode="json") for session in sessions]
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
    if session_id is not None:
        ended = SessionId(session_id)
        run(lambda container: container.resolve(EndUserSession).execute(session_id=ended))
        typer.echo("The session is over.")
    else:
        user, _ = run_for(
            all_of or "", lambda container, user: container.resolve(EndUserSessions).execute(user_id=user.id)
        )
        typer.echo(f"{user.email} is signed in nowhere.")


@app.command()
def why(
    reference: Annotated[str, typer.Argument(help="What the person was shown: 7F3K-Q2MX-9RTB, however it is written.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Say why a sign-in was refused, step by step. That you looked is written down."""
    attempt = run(lambda container: container.resolve(ExplainSignIn).execute(reference=reference))
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
