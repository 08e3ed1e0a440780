"""The agents' own legs: each keeps one agent in one room, where a customer who picks up meets them at once."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session

from callcenter.calls.rules import advances
from callcenter.domain.enums import AttemptState
from callcenter.models import AgentLeg

_ASKED_LONG_AGO = timedelta(seconds=45)
"""A leg asked for and never heard of since does not count: the agent is called again."""


def needs_connecting(session: Session, agent_id: UUID) -> bool:
    """Whether nothing keeps the agent in their room."""
    leg = session.get(AgentLeg, agent_id)
    return leg is None or leg.state == AttemptState.ENDED


def begin(session: Session, agent_id: UUID, address: str, now: datetime) -> bool:
    """Take the permission to call a locked agent's telephone; False while one call is under way or up."""
    leg = session.get(AgentLeg, agent_id, populate_existing=True)
    if leg is None:
        leg = AgentLeg(agent_id=agent_id, address=address, asked_at=now, last_news_at=now)
    elif leg.state != AttemptState.ENDED and not (
        leg.state == AttemptState.PLACING and now - leg.last_news_at > _ASKED_LONG_AGO
    ):
        return False
    leg.address, leg.state, leg.carrier_ref, leg.asked_at, leg.last_news_at = (
        address,
        AttemptState.PLACING,
        None,
        now,
        now,
    )
    leg.room_ref, leg.room_seq, leg.is_muted, leg.mute_wanted = None, -1, False, False
    session.add(leg)
    session.flush()
    return True


def note(session: Session, agent_id: UUID, ref: str, state: AttemptState, now: datetime) -> bool:
    """Move a leg forward by what the carrier said; True when it moved.

    News of an older leg's call is not about this one.
    """
    leg = session.get(AgentLeg, agent_id, populate_existing=True)
    if leg is None or leg.carrier_ref not in (None, ref):
        return False
    leg.carrier_ref, leg.last_news_at = ref, now
    moved = advances(AttemptState(leg.state), state)
    if moved:
        leg.state = state
    session.flush()
    return moved


def give_up(session: Session, agent_id: UUID, now: datetime) -> None:
    """Note that the carrier did not take the call to an agent, so that the next dial asks anew."""
    leg = session.get(AgentLeg, agent_id, populate_existing=True)
    if leg is not None and leg.state == AttemptState.PLACING and leg.carrier_ref is None:
        leg.state, leg.last_news_at = AttemptState.ENDED, now
        session.flush()
