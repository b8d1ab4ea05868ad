"""The declarative base, and the column types that every table shares.

`crm_id` comes first in every key: it is the wall between CRMs, and the shard key of a cluster.
Ids and times are made by the application and bound; the database never asks its own clock.
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Double, Identity, MetaData, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

FOREVER = datetime(9000, 1, 1, tzinfo=UTC)
"""Stands for "time alone never changes it". PostgreSQL's `infinity` has no Python value."""

CrmId = Annotated[int, mapped_column(primary_key=True, autoincrement=False)]
Key = Annotated[int, mapped_column(primary_key=True, autoincrement=False)]
OwnId = Annotated[int, mapped_column(Identity(), primary_key=True)]
SmallInt = Annotated[int, mapped_column(SmallInteger)]


class Base(DeclarativeBase):
    """All tables; constraint names are fixed, so that migrations can name them."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own spelling
        int: BigInteger,
        str: Text,
        float: Double,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(BigInteger),
        dict[str, Any]: JSONB,
    }
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def one_of(column: str, words: tuple[str, ...]) -> str:
    """The SQL of a CHECK that `column` is one of `words`."""
    return f"{column} in ({', '.join(repr(word) for word in words)})"
