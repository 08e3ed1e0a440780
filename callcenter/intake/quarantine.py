"""Refused events again: read anew as when they came, driven in once, or dismissed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.enums import QuarantineState
from callcenter.domain.events import EventValue, Rejection
from callcenter.errors import BadInput
from callcenter.intake import policy
from callcenter.intake.cloudevents import read_cloud_events
from callcenter.intake.rules import read_batch
from callcenter.models import QuarantinedEvent

MOST_AT_ONCE = 500
"""So many rows one act drives in or dismisses; it is one transaction."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which refused events of a source an act is about: these ids, or all of one reason."""

    source_id: UUID
    ids: tuple[int, ...] = ()
    code: str | None = None


def lock_open(session: Session, wanted: Wanted) -> Sequence[QuarantinedEvent]:
    """Lock the refused events wanted that are still open, in the order they came; at most MOST_AT_ONCE.

    Those that were tried before come last, so that acts on many reach all of them. One that another act
    holds is left to it. Raises BadInput when neither ids nor a reason is named.
    """
    if not wanted.ids and wanted.code is None:
        raise BadInput("Say which refused events: their numbers, or one reason.")
    statement = (
        select(QuarantinedEvent)
        .where(QuarantinedEvent.source_id == wanted.source_id)
        .where(QuarantinedEvent.state == QuarantineState.OPEN)
    )
    if wanted.ids:
        statement = statement.where(col(QuarantinedEvent.id).in_(wanted.ids))
    if wanted.code is not None:
        statement = statement.where(QuarantinedEvent.code == wanted.code)
    tried_at = col(QuarantinedEvent.state_at).asc().nulls_first()
    ordered = statement.order_by(tried_at, col(QuarantinedEvent.received_at), col(QuarantinedEvent.id))
    return session.exec(ordered.limit(MOST_AT_ONCE).with_for_update(skip_locked=True)).all()


def may_be_redriven(body: Any) -> bool:
    """Whether what was kept is a whole event: rows of files are not, nor is what is told of a single trait."""
    return isinstance(body, dict) and ("type" in body or "specversion" in body)


def read_again(row: QuarantinedEvent, now: datetime) -> EventValue | Rejection | None:
    """Read a refused event anew; None when it was not kept as an event and stays what it is.

    Its own time is worked out as on the day it came, from the sender's clock and ours at that moment; it is
    received now, and one older than 24 h by now feeds no live rule.
    """
    body = row.body
    if not may_be_redriven(body):
        return None
    came_at = row.received_at
    is_cloud_event = "specversion" in body and "type" in body and "source" in body
    batch = read_cloud_events([body], came_at) if is_cloud_event else read_batch([body], {}, came_at)
    if batch.rejections:
        return batch.rejections[0]
    event = batch.events[0]
    historical = now - event.event_time > policy.REALTIME_LATENESS
    return replace(event, received_at=now, historical=historical)


def settle(row: QuarantinedEvent, state: QuarantineState, user_id: UUID | None, now: datetime) -> None:
    """Say what became of a refused event, who decided it, and when."""
    row.state, row.state_at, row.state_by = state, now, user_id


def refuse_again(
    row: QuarantinedEvent, rejection: Rejection | None, user_id: UUID | None, now: datetime
) -> None:
    """Keep an event that was refused again, with its new reason if it has one; it stays open, tried just now."""
    row.state_at, row.state_by = now, user_id
    if rejection is not None:
        row.code, row.message = rejection.code, rejection.message
