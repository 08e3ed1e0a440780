"""Whom we tell what happened, and each telling. Written by webhooks; deliveries are also added by the database,
in the transaction of the fact they tell (migration 0005)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from callcenter.domain.partners import DeliveryState
from callcenter.models.columns import counted_id, document, listing, word


class WebhookEndpoint(SQLModel, table=True):
    """An address that is told of some kinds of facts. Its secret signs; a former one signs beside it for a while.

    After `failures` in a row it is left alone until `rests_until`, so that one that is away costs little.
    """

    __tablename__ = "webhook_endpoint"

    id: UUID = Field(primary_key=True)
    url: str
    secret: str
    former_secret: str | None = None
    former_ends_at: datetime | None = None
    kinds: list[str] = listing()
    is_enabled: bool = True
    failures: int = 0
    rests_until: datetime | None = None
    created_at: datetime
    created_by: str
    deleted_at: datetime | None = None


class WebhookDelivery(SQLModel, table=True):
    """One fact to tell one endpoint. `event_id` is the fact's, the same for every endpoint and every try."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("endpoint_id", "event_id"),
        Index("ix_webhook_delivery_due", "endpoint_id", "due_at", postgresql_where=text("state = 'pending'")),
        Index("ix_webhook_delivery_state", "endpoint_id", "state", "id"),
    )

    id: int | None = counted_id()
    endpoint_id: UUID = Field(foreign_key="webhook_endpoint.id")
    event_id: UUID
    kind: str
    payload: dict[str, Any] = document()
    created_at: datetime = Field(index=True)
    state: DeliveryState = word(default=DeliveryState.PENDING)
    state_at: datetime
    tries_from: datetime
    due_at: datetime
    claimed_until: datetime | None = None
    tries: int = 0
    last_status: int | None = None
    last_error: str | None = None
    response: str | None = None
