"""Which database this process works on."""

from collections.abc import Iterator
from contextlib import contextmanager

from adapters.postgres.embedded import embedded_postgres
from entrypoints.settings import Settings


@contextmanager
def database_url(settings: Settings) -> Iterator[str]:
    """The URL of the settings, or of the embedded server, which runs for as long as the block.

    Raises: EmbeddedPostgresError.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
    else:
        with embedded_postgres(settings.hallporter_home) as url:
            yield url
