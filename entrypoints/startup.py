"""What has to hold before requests are served, and what it is called when it does not."""

from adapters.postgres.embedded import EmbeddedPostgresError
from adapters.postgres.schema import DatabaseProblem
from application.signing.key_ring import KeyRing
from domain.errors import DomainError
from entrypoints.container import Adapters, Container
from entrypoints.settings import SettingsProblem


class StartupProblem(Exception):
    """We cannot start. The message says why, and what to do."""


PROBLEMS = (SettingsProblem, EmbeddedPostgresError, DatabaseProblem, StartupProblem, DomainError)
"""What people are told in a sentence; everything else is a bug and keeps its traceback."""


async def expect_readable_keys(container: Container, adapters: Adapters) -> None:
    """Make sure that the present root key opens what the database holds sealed (fault 28).

    Raises: StartupProblem.
    """
    if not adapters.signer.opens(await container.resolve(KeyRing).active()):
        message = (
            "SECRET_KEY is not the key that this database was sealed with. Restore it: in the environment, or in "
            "development the file secret-key in HALLPORTER_HOME. Without it nobody's password can be checked."
        )
        raise StartupProblem(message)
