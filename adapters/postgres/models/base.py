"""What all tables have in common."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, LargeBinary, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Tables whose constraints have predictable names: errors are told apart by them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        bytes: LargeBinary,
        UUID: Uuid,
        datetime: TIMESTAMP(timezone=True),
        list[str]: ARRAY(Text),
    }


def at_most(column: str, length: int) -> CheckConstraint:
    """Texts of so many characters and no more."""
    return CheckConstraint(f"char_length({column}) <= {length}", name=f"{column}_length")


def one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    """One of these words."""
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=column)
