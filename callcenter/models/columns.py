"""Column kinds the tables share."""

from typing import Any

from sqlalchemy import BigInteger, Identity, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

import callcenter.db  # the naming convention must be set before the first table is declared

assert callcenter.db.metadata.naming_convention


def counted_id() -> Any:
    """Return a primary key the database counts up."""
    return Field(default=None, primary_key=True, sa_type=BigInteger, sa_column_args=(Identity(),))


def document(**options: Any) -> Any:
    """Return a JSONB column that is an empty object by default."""
    return Field(default_factory=dict, sa_type=JSONB, nullable=False, **options)


def listing(**options: Any) -> Any:
    """Return a JSONB column that is an empty list by default."""
    return Field(default_factory=list, sa_type=JSONB, nullable=False, **options)


def word(**options: Any) -> Any:
    """Return a text column that holds a StrEnum's value."""
    return Field(sa_type=String, **options)
