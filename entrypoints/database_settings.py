"""What can be set about further ways to the database."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from entrypoints.setting_formats import checked_database_url, checked_replica_url


class DatabaseSettings(BaseSettings):
    """Where requests go on their way to the database."""

    database_pooler_url: Annotated[SecretStr, AfterValidator(checked_database_url)] | None = Field(
        default=None, description="the database by way of PgBouncer, for requests; left out: they go there themselves"
    )
    database_replica_url: Annotated[SecretStr, AfterValidator(checked_replica_url)] | None = Field(
        default=None,
        description="a copy of the database, for operators' list of users; left out: they see the database",
    )
    replica_max_lag_seconds: int = Field(
        default=10, ge=1, le=3600, description="how far that copy may be behind; beyond it, it is not read"
    )
