"""What is worked out each night: shares of script variants, and what usually helps. Written by learning."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Field, SQLModel

from callcenter.models.columns import document, listing


class ScriptAllocation(SQLModel, table=True):
    """How a day's customers are shared out among a script's variants, and from what counts; never changed.

    `script_version` counts the script's own file. `arms`: by variant, customers counted (`n`), of them
    `converted`, the probability that it is `best` (null where none was weighed) and its `share`.
    `prior_a` and `prior_b`: the Beta prior, read off `past_variants` variants of the journey.
    """

    __tablename__ = "script_allocation"

    script_id: str = Field(primary_key=True)
    script_version: int = Field(primary_key=True)
    allocated_on: date = Field(primary_key=True)
    made_at: datetime
    journey: str
    method: str
    prior_a: float
    prior_b: float
    past_variants: int
    arms: dict[str, Any] = document()


class WhatHelps(SQLModel, table=True):
    """What calls about one step, or one error on it, showed of the weeks before; replaced each night.

    `error` is "" for the whole step, an event, or event and reason as "photo_rejected:glare". `calls` spoke with
    somebody; of them `calls_with_cause` have a cause. `causes` and `branches` are lists of counted things.
    """

    __tablename__ = "what_helps"

    journey: str = Field(primary_key=True)
    step: str = Field(primary_key=True)
    error: str = Field(primary_key=True)
    made_at: datetime
    from_at: datetime
    calls: int
    calls_with_cause: int
    causes: list[dict[str, Any]] = listing()
    branches: list[dict[str, Any]] = listing()
