"""Forget what call tasks knew of a person; that they were to be called, and what became of it, stays."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import orjson
from sqlmodel import Session, col, select

from callcenter.calltasks.queries import OPEN_STATES
from callcenter.db import cursor_of, id_array_of
from callcenter.models import CallTask

_FORGET = """
UPDATE call_task SET facts = '{}', journey_key = COALESCE(%(veils)s::jsonb->>journey_key, journey_key)
 WHERE customer_id = ANY(%(ids)s::uuid[])
"""
_FORGET_NOTES = """
UPDATE task_transfer SET note = '', answer = ''
 WHERE (note <> '' OR answer <> '')
   AND call_task_id IN (SELECT id FROM call_task WHERE customer_id = ANY(%(ids)s::uuid[]))
"""


def lock_open_tasks(session: Session, ids: Collection[UUID]) -> Sequence[CallTask]:
    """Lock people's call tasks that have not ended, as the database has them now, in key order."""
    return session.exec(
        select(CallTask)
        .where(col(CallTask.customer_id).in_(ids))
        .where(col(CallTask.state).in_(OPEN_STATES))
        .order_by(col(CallTask.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def forget_tasks(session: Session, ids: Collection[UUID], veils: Mapping[str, str]) -> dict[str, int]:
    """Empty the facts of people's call tasks, and what agents wrote when they handed them over."""
    asked = {"ids": id_array_of(ids), "veils": orjson.dumps(veils).decode()}
    forgotten = cursor_of(session).execute(_FORGET, asked).rowcount
    return {
        "call_tasks": forgotten,
        "transfer_notes": cursor_of(session).execute(_FORGET_NOTES, {"ids": asked["ids"]}).rowcount,
    }
