"""What people do about segments and tags, and how segments are worked out by the clock.

Verbs as in the pipeline, and beside it: each takes a session, ids or frozen values and `now`, and commits
nothing. Each act of a person is in the audit trail. Who is in a segment stands in the customer's own row, where
rules and back-tests read it with everything else: docs/decisions/0059.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.calltasks import queries as task_queries
from callcenter.domain.enums import TaskState
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.intake import kept_apart
from callcenter.journeys import queries as journey_queries
from callcenter.models import AgentTag, CallTask, Segment
from callcenter.segments import queries
from callcenter.segments import service as segments
from callcenter.segments.queries import Changes, TookTooLong
from callcenter.segments.rules import Known, SegmentSpec, known_of, read_segment

# -- people's acts ------------------------------------------------------------------------------------------


def known_here(session: Session) -> Known:
    """Return what segments may speak of in this house."""
    return known_of(journey_queries.journeys_loaded(session).values())


def spec_of(row: Segment, known: Known) -> SegmentSpec | None:
    """Return what a kept segment asks for; None when the journeys no longer know what it speaks of."""
    try:
        return read_segment({"segment": row.key, "title": row.title, **row.definition}, known)
    except BadInput:
        return None


def make_segment(session: Session, raw: Mapping[str, Any], user_id: UUID, now: datetime) -> Segment:
    """Keep a new segment; it is worked out within a minute. Raises BadInput, Conflict."""
    row = segments.keep_segment(session, read_segment(raw, known_here(session)), user_id, now)
    _record(session, row.key, user_id, "segment.made", now)
    return row


def change_segment(
    session: Session, key: str, raw: Mapping[str, Any], user_id: UUID, now: datetime
) -> Segment:
    """Write a segment anew. Raises BadInput, NotFound."""
    row = segments.open_segment(session, key)
    if segments.write_segment(row, read_segment({**raw, "segment": key}, known_here(session)), now):
        _record(session, key, user_id, "segment.changed", now)
    return row


def end_segment(session: Session, key: str, user_id: UUID, now: datetime) -> None:
    """End a segment. Raises NotFound, and Conflict while rules speak of it."""
    row = segments.open_segment(session, key)
    if queries.rules_using(session, key):
        raise Conflict("Rules speak of this segment. Change or end those rules first.")
    segments.end_segment(row, now)
    _record(session, key, user_id, "segment.ended", now)


def hand_out_members(
    session: Session, key: str, user_id: UUID, now: datetime
) -> list[tuple[str, str, str | None]]:
    """Return who is in a segment, by the bank's own ids, and write down that the list was taken out."""
    segments.open_segment(session, key)
    found = queries.members(session, key)
    _record(session, key, user_id, "segment.exported", now, customers=len(found))
    return found


def _record(session: Session, key: str, user_id: UUID, act: str, now: datetime, **detail: object) -> None:
    accounts.record(session, user_id, act, key, now, **detail)
    outbox.ring(session, outbox.STUDIO)


# -- by the clock -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What is to change on customers after a segment was worked out."""

    key: str
    changes: Changes


def work_out(session: Session, key: str, now: datetime, lap: Callable[[], float]) -> Found | None:
    """Work a segment out; None when another process does, or when it cannot be. `lap` tells seconds, to measure.

    Nothing is locked while the database counts, so that nobody who changes the segment waits for it.
    """
    seen = session.get(Segment, key, populate_existing=True)
    if seen is None or not queries.may_work_out(session, key):
        return None
    changed_at, began = seen.changed_at, lap()
    known = known_here(session)
    spec = spec_of(seen, known) if seen.ended_at is None else None
    changes, trouble = None, segments.NO_LONGER_FITS
    if spec is not None or seen.ended_at is not None:
        try:
            changes = queries.changes_of(session, key, spec, known, now)
        except TookTooLong:
            trouble = segments.TOOK_TOO_LONG
    row = segments.lock_segment(session, key)
    if row is None or row.changed_at != changed_at:
        return None
    outbox.ring(session, outbox.STUDIO)
    if changes is None:
        segments.note_trouble(row, trouble, now)
        return None
    segments.note_found(row, changes.size, int(1_000 * (lap() - began)), now)
    segments.note_settled(row, is_settled=not changes.joined and not changes.left)
    return Found(key, changes)


def change_members(session: Session, key: str, ids: Sequence[UUID], *, is_member: bool) -> int:
    """Put one portion of customers into a segment, or take them out; return how many."""
    return kept_apart.change_members(session, key, ids, is_member=is_member)


def note_settled(session: Session, found: Found, changed: int) -> None:
    """Note that a segment's customers say what was found, unless some were held or it has changed since."""
    row = segments.lock_segment(session, found.key)
    wanted = len(found.changes.joined) + len(found.changes.left)
    if row is not None and row.tried_at is not None and row.changed_at <= row.tried_at:
        segments.note_settled(row, is_settled=changed == wanted)


# -- tags of agents -----------------------------------------------------------------------------------------


def add_agent_tag(
    session: Session, code: str, label: Mapping[str, str], user_id: UUID, now: datetime
) -> AgentTag:
    """Let agents give a tag. Raises BadInput, Conflict."""
    row = segments.add_agent_tag(session, code, label, user_id, now)
    _record(session, code, user_id, "agent_tag.added", now)
    return row


def give_up_agent_tag(session: Session, code: str, user_id: UUID, now: datetime) -> None:
    """Let agents give a tag no longer. Raises NotFound."""
    if segments.give_up_agent_tag(session, code):
        _record(session, code, user_id, "agent_tag.given_up", now)


_IN_HAND = (TaskState.RESERVED, TaskState.ASSIGNED, TaskState.WRAPPING)


def tag_customer(
    session: Session, call_task_id: UUID, code: str, agent_id: UUID, now: datetime, *, adds: bool
) -> None:
    """Give the customer of an agent's call task a tag of the list, or take one of agents' away.

    Raises NotFound, BadInput for a tag that is not in the list, and Forbidden when the call task is not theirs now.
    """
    known = session.get(CallTask, call_task_id)
    if known is None:
        raise NotFound("There is no such call task.")
    customer = moves.lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, call_task_id)
    if task is None or task.agent_id != agent_id or task.state not in _IN_HAND:
        raise Forbidden("This call task is with another agent by now.")
    allowed = {one.code for one in queries.agent_tags(session)}
    if adds and code not in allowed:
        raise BadInput("Choose one of the tags shown.")
    if adds == (code in customer.agent_tags):
        return
    tags = [*customer.agent_tags, code] if adds else [one for one in customer.agent_tags if one != code]
    kept_apart.set_agent_tags(customer, tags, now)
    act = "customer.tagged_by_agent" if adds else "customer.untagged_by_agent"
    accounts.record(session, agent_id, act, str(customer.id), now, tag=code)
    outbox.ring(session, outbox.agent_channel(agent_id))
