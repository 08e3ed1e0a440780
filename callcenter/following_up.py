"""Follow-ups in agents' hands: business met on a call, noted in the call or its wrap-up, and seen to later.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids and `now`, and commits nothing.
"""

from datetime import date, datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.calls import service as calls
from callcenter.calltasks import queries as task_queries
from callcenter.domain.enums import TaskState
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import Agent, CallTask, FollowUp, User
from callcenter.outcomes import follow_ups
from callcenter.outcomes.rules import NewFollowUp, problems_of


def note_follow_up(
    session: Session, call_task_id: UUID, new: NewFollowUp, agent_id: UUID, today: date, now: datetime
) -> FollowUp:
    """Keep business met on an agent's own call, until its wrap-up is saved. Raises BadInput, Conflict."""
    known = session.get(CallTask, call_task_id)
    if known is None:
        raise NotFound("There is no such call task.")
    moves.lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, call_task_id)
    assert task is not None
    if task.agent_id != agent_id:
        raise Forbidden("This call task is with another agent by now.")
    attempt = calls.last_attempt_of_task(session, task.id)
    if attempt is None or task.state not in (TaskState.ASSIGNED, TaskState.WRAPPING):
        raise Conflict("Note a follow-up during the call or in its wrap-up.")
    _check(session, new, today)
    row = follow_ups.keep_follow_up(session, attempt, new, agent_id, now)
    _record(session, row, agent_id, "follow_up.noted", now)
    return row


def change_follow_up(
    session: Session, follow_up_id: UUID, new: NewFollowUp, agent_id: UUID, today: date, now: datetime
) -> None:
    """Change what is to be done, by whom or by when. Raises Conflict once it is done."""
    row = _own(session, follow_up_id, agent_id)
    if row.closed_at is not None:
        raise Conflict("This follow-up is done. Open it again to change it.")
    if new.due_on != row.due_on or new.due_on >= today:
        _check(session, new, today)
    else:
        _check(session, new, row.due_on)  # an overdue day may stay while the words change
    before = row.owner_id
    follow_ups.change(row, new, now)
    _record(session, row, agent_id, "follow_up.changed", now)
    if before != row.owner_id:
        outbox.ring(session, outbox.agent_channel(before))


def close_follow_up(session: Session, follow_up_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Note that a follow-up is done; done already is fine."""
    row = _own(session, follow_up_id, agent_id)
    if follow_ups.close(row, agent_id, now):
        _record(session, row, agent_id, "follow_up.closed", now)


def reopen_follow_up(session: Session, follow_up_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Note that a follow-up is not done after all; open already is fine."""
    row = _own(session, follow_up_id, agent_id)
    if follow_ups.open_again(row, now):
        _record(session, row, agent_id, "follow_up.reopened", now)


def _own(session: Session, follow_up_id: UUID, agent_id: UUID) -> FollowUp:
    """Lock a follow-up that this agent owns or has noted."""
    row = follow_ups.lock_follow_up(session, follow_up_id)
    if agent_id not in (row.owner_id, row.created_by):
        raise Forbidden("This follow-up is a colleague's.")
    return row


def _check(session: Session, new: NewFollowUp, today: date) -> None:
    problems = problems_of(new, today)
    owner = session.get(User, new.owner_id)
    if session.get(Agent, new.owner_id) is None or owner is None or not owner.is_active:
        problems["owner_id"] = ["choose an agent"]
    if problems:
        raise BadInput(
            "Say what is to be done, who does it and by when: from today on, within a year.", problems
        )


def _record(session: Session, row: FollowUp, agent_id: UUID, act: str, now: datetime) -> None:
    detail = {"kind": row.kind, "owner_id": str(row.owner_id), "due_on": row.due_on.isoformat()}
    accounts.record(session, agent_id, act, str(row.id), now, **detail)
    outbox.ring(session, *{outbox.agent_channel(agent_id), outbox.agent_channel(row.owner_id)})
