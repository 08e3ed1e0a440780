"""Help during a call: an agent raises a hand, a supervisor takes notice, either takes it down.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids and `now`, and commits nothing.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, outbox
from callcenter.accounts import service as accounts
from callcenter.domain.enums import AttemptState, HelpEnd
from callcenter.errors import Conflict, Forbidden, NotFound
from callcenter.models import HelpRequest
from callcenter.routing import hands
from callcenter.routing import service as routing


def ask_for_help(session: Session, attempt_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Raise an agent's hand on their own call; up already is fine. Raises Conflict when nobody is on the line."""
    attempt = moves.lock_call(session, attempt_id)
    if attempt.agent_id != agent_id:
        raise Forbidden("This call is another agent's.")
    if attempt.state != AttemptState.BRIDGED:
        raise Conflict("You can ask for help while the customer is on the line.")
    if hands.raised(session, agent_id) is not None:
        return
    row = hands.raise_hand(session, agent_id, attempt_id, now)
    accounts.record(session, agent_id, "help.asked", str(agent_id), now, help_id=str(row.id))
    _ring(session, agent_id)


def lower_hand(session: Session, agent_id: UUID, now: datetime) -> None:
    """Take an agent's own hand down; down already is fine."""
    routing.lock_agent(session, agent_id)
    row = hands.raised(session, agent_id)
    if row is not None and hands.take_down(row, HelpEnd.LOWERED, now):
        accounts.record(session, agent_id, "help.lowered", str(agent_id), now, help_id=str(row.id))
        _ring(session, agent_id)


def acknowledge_help(session: Session, help_id: UUID, supervisor_id: UUID, now: datetime) -> None:
    """Tell an agent that a supervisor has seen their hand. Raises Conflict when it is down by now."""
    row = _lock_help(session, help_id)
    if row.ended_at is not None:
        raise Conflict("This request for help is over.")
    if hands.acknowledge(row, supervisor_id, now):
        accounts.record(
            session, supervisor_id, "help.acknowledged", str(row.agent_id), now, help_id=str(row.id)
        )
        _ring(session, row.agent_id)


def close_help(session: Session, help_id: UUID, supervisor_id: UUID, now: datetime) -> None:
    """Take an agent's hand down for them; down already is fine."""
    row = _lock_help(session, help_id)
    if hands.take_down(row, HelpEnd.CLOSED, now):
        accounts.record(session, supervisor_id, "help.closed", str(row.agent_id), now, help_id=str(row.id))
        _ring(session, row.agent_id)


def _lock_help(session: Session, help_id: UUID) -> HelpRequest:
    row = session.get(HelpRequest, help_id)
    if row is None:
        raise NotFound("There is no such request for help.")
    routing.lock_agent(session, row.agent_id)
    session.refresh(row)
    return row


def _ring(session: Session, agent_id: UUID) -> None:
    outbox.ring(session, outbox.agent_channel(agent_id), outbox.FLOOR)
