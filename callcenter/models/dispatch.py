"""What a supervisor did to many call tasks at once, so that it can be undone. Written by calltasks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Field, SQLModel

from callcenter.domain.dispatching import DispatchAct
from callcenter.models.columns import document, listing, word


class Dispatch(SQLModel, table=True):
    """One act on many call tasks: planned, done, perhaps undone.

    `planned` holds [call task, agent to be, agent as seen]; `worked` of them are dealt with. `changed` holds each
    touched call task as it was and as it was left; `refused` and `lost` name those left out, and why. `looked_at`
    of `changed` have been looked at by the undo.
    """

    __tablename__ = "dispatch"

    id: UUID = Field(primary_key=True)
    act: DispatchAct = word()
    wanted: dict[str, Any] = document()
    matched: int = 0
    planned: list[list[str | None]] = listing()
    worked: int = 0
    changed: list[dict[str, Any]] = listing()
    refused: list[list[str | None]] = listing()
    made_at: datetime = Field(index=True)
    made_by: UUID = Field(foreign_key="app_user.id")
    done_at: datetime | None = None
    undone_at: datetime | None = None
    looked_at: int = 0
    lost: list[list[str | None]] = listing()
