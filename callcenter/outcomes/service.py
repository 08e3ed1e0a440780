"""Keep what agents said, the callbacks promised, and the conversions seen in journey events."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, select

from callcenter.db import array_of, cursor_of, id_array_of, plain_array_of
from callcenter.domain.enums import CancelReason
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import StepReached
from callcenter.errors import BadInput, Conflict
from callcenter.models import (
    Callback,
    ContactAttempt,
    Disposition,
    DispositionKind,
    Outcome,
    ProductSuggestion,
)
from callcenter.outcomes.rules import Flags, WrapUp


def load_dispositions(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Store the dispositions agents choose from; those missing from `rows` are switched off, not deleted."""
    codes = set()
    for position, row in enumerate(rows, 1):
        kind = session.get(DispositionKind, row["code"]) or DispositionKind(
            code=row["code"], position=position
        )
        kind.position, kind.label, kind.icon, kind.is_active = (
            position,
            dict(row["label"]),
            row.get("icon", ""),
            True,
        )
        for flag in Flags.__slots__:
            setattr(kind, flag, bool(row.get(flag, False)))
        session.add(kind)
        codes.add(kind.code)
    for kind in session.exec(select(DispositionKind)):
        kind.is_active = kind.code in codes
    session.flush()


def flags_of(session: Session, code: str) -> Flags:
    """Return a disposition's flags; raises BadInput when there is no such disposition."""
    kind = session.get(DispositionKind, code)
    if kind is None or not kind.is_active:
        raise BadInput("Choose a result for this call.", {"disposition": ["unknown disposition"]})
    return Flags(**{flag: getattr(kind, flag) for flag in Flags.__slots__})


def flags_of_any(session: Session, code: str) -> Flags:
    """Return the flags of a disposition that was said once, offered still or not."""
    kind = session.get_one(DispositionKind, code)
    return Flags(**{flag: getattr(kind, flag) for flag in Flags.__slots__})


def keep_disposition(
    session: Session, attempt: ContactAttempt, wrap_up: WrapUp, agent_id: UUID, seconds: int, now: datetime
) -> None:
    """Store an agent's word on an attempt, once. Raises Conflict when it was tagged before."""
    if session.get(Disposition, attempt.id) is not None:
        raise Conflict("This attempt is tagged already. Your text is kept in the form; take the next task.")
    session.add(
        Disposition(
            attempt_id=attempt.id,
            kind_code=wrap_up.disposition,
            agent_id=agent_id,
            at=now,
            causes=list(wrap_up.causes),
            note=wrap_up.note,
            wrap_up_seconds=seconds,
        )
    )
    session.flush()


def keep_suggestion(
    session: Session, attempt: ContactAttempt, journey: str, step: str, text: str, now: datetime
) -> None:
    """Store a product suggestion with the attempt it came from."""
    session.add(ProductSuggestion(attempt_id=attempt.id, journey=journey, step=step, text=text, at=now))


def promise_callback(session: Session, attempt: ContactAttempt, wrap_up: WrapUp, now: datetime) -> None:
    """Store a promised call; a personal one waits for the agent who promised it."""
    assert wrap_up.callback_at is not None
    session.add(
        Callback(
            id=derived_id("callback", attempt.id),
            attempt_id=attempt.id,
            call_task_id=attempt.call_task_id,
            customer_id=attempt.customer_id,
            agent_id=attempt.agent_id if wrap_up.callback_is_personal else None,
            due_at=wrap_up.callback_at,
            said=wrap_up.note[:200],
            created_at=now,
        )
    )


def close_callbacks(
    session: Session, call_task_id: UUID, now: datetime, lost_because: CancelReason | None = None
) -> None:
    """Note that the promised call of this task has been made, or why its task died before it was."""
    session.execute(
        update(Callback)
        .where(col(Callback.call_task_id) == call_task_id)
        .where(col(Callback.closed_at).is_(None))
        .values(closed_at=now, lost_because=lost_because)
    )


def watch(
    session: Session,
    firing_id: UUID,
    customer_id: UUID,
    journey: str,
    journey_key: str,
    goal_position: int,
    window: timedelta,
    fired_at: datetime,
) -> None:
    """Start to watch what a customer does after a firing, called or held out alike.

    `goal_position` is the position of the step whose reaching counts as converted.
    """
    session.add(
        Outcome(
            firing_id=firing_id,
            customer_id=customer_id,
            journey=journey,
            journey_key=journey_key,
            goal_position=goal_position,
            window_from=fired_at,
            window_until=fired_at + window,
        )
    )


_NOTE = """
UPDATE outcome o SET converted_at = r.at, converted_step = r.step
  FROM (SELECT DISTINCT ON (o.firing_id) o.firing_id, e.at, e.step
          FROM unnest(%(customers)s::uuid[], %(journeys)s::text[], %(keys)s::text[], %(steps)s::text[],
                      %(positions)s::int[], %(ats)s::timestamptz[])
               AS e(customer_id, journey, journey_key, step, position, at)
          JOIN outcome o ON o.customer_id = e.customer_id AND o.journey = e.journey
               AND o.journey_key = e.journey_key AND o.converted_at IS NULL
               AND o.goal_position <= e.position AND o.window_from < e.at AND o.window_until >= e.at
         ORDER BY o.firing_id, e.at) r
 WHERE o.firing_id = r.firing_id AND o.converted_at IS NULL
"""


def note_reached(session: Session, reached: Sequence[StepReached]) -> None:
    """Count steps reached as the conversions of the firings that were waiting for them, the earliest first.

    Only an event's own time decides whether it lies in the window, however late it comes in.
    """
    if reached:
        columns = {
            "customers": id_array_of(one.customer_id for one in reached),
            "journeys": array_of(one.journey for one in reached),
            "keys": array_of(one.journey_key for one in reached),
            "steps": array_of(one.step for one in reached),
            "positions": plain_array_of(one.position for one in reached),
            "ats": plain_array_of(one.at for one in reached),
        }
        cursor_of(session).execute(_NOTE, columns)
