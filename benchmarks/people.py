"""Users to measure with."""

from dataclasses import dataclass

from benchmarks.conversation import WrongAnswer
from benchmarks.processes import Server, ask

PASSWORD = "a quiet harbour at dawn"  # noqa: S105  (nobody's)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody's session."""

    access_token: str
    refresh_token: str

    @property
    def headers(self) -> dict[str, str]:
        """What each request brings along."""
        return {"Authorization": f"Bearer {self.access_token}"}


def register(server: Server, email: str) -> None:
    """Make a user; one who is there already is as good.

    Raises: WrongAnswer.
    """
    status, told = ask(server.port, "POST", "/v1/users", {"email": email, "password": PASSWORD, "display_name": "Ada"})
    if status != 201 and told.get("code") != "email_already_registered":  # noqa: PLR2004  (created)
        message = f"{server.name}: registering is answered by {status} {told}"
        raise WrongAnswer(message)


def sign_in(server: Server, email: str) -> SignedIn:
    """Open a session.

    Raises: WrongAnswer.
    """
    status, told = ask(server.port, "POST", "/v1/sessions", {"email": email, "password": PASSWORD})
    if status != 201:  # noqa: PLR2004  (created)
        message = f"{server.name}: signing in is answered by {status} {told}"
        raise WrongAnswer(message)
    return SignedIn(access_token=str(told["access_token"]), refresh_token=str(told["refresh_token"]))


def newcomer(server: Server, email: str) -> SignedIn:
    """A session of somebody who is made for it.

    Raises: WrongAnswer.
    """
    register(server, email)
    return sign_in(server, email)
