"""What a supervisor does to an agent's presence: look what would happen, then do it.

Verbs as in the pipeline, and beside it. A call under way is never cut and a wrap-up never closed: what is set
counts once they are saved. The rows are locked in the house's order; what was looked at is done, or nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import moves, pipeline
from callcenter.accounts import service as accounts
from callcenter.calltasks import queries as task_queries
from callcenter.domain.enums import (
    ForceEffect,
    NotReadyReason,
    Presence,
    ReservationEnd,
    TaskState,
    WorkState,
)
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import Agent, CallTask, User
from callcenter.routing import service as routing
from callcenter.routing.rules import CHOSEN_REASONS, effect_of_forcing, is_silent

MOST_NOTE = 200


@dataclass(frozen=True, slots=True)
class Forced:
    """What an agent shall be: `reason` goes with not ready, `note` is for them to read.

    `seen` is the effect that the supervisor was shown.
    """

    presence: Presence
    seen: ForceEffect
    reason: NotReadyReason | None = None
    note: str = ""


def force_presence(
    session: Session, agent_id: UUID, wanted: Forced, user_id: UUID, now: datetime
) -> ForceEffect:
    """Set an agent's presence for a supervisor, who is named to the agent and in the audit trail.

    An open offer goes back to the queue when the agent is set not ready or signed off. Raises BadInput without a
    reason for not ready, NotFound, and Conflict where nothing would change, no console is open for an agent who is
    to be available, or another effect than the one shown would follow by now.
    """
    if wanted.presence is Presence.NOT_READY and wanted.reason not in CHOSEN_REASONS:
        raise BadInput("Choose why they are not ready; they read it.")
    task = _lock_offered_task(session, agent_id, wanted.seen)
    agent = routing.lock_agent(session, agent_id)
    _check(agent, wanted, now)
    effect = effect_of_forcing(wanted.presence, WorkState(agent.work_state))
    is_their_offer = task is not None and task.id == agent.call_task_id and task.state == TaskState.RESERVED
    if effect is not wanted.seen or (effect is ForceEffect.OFFER_BACK and not is_their_offer):
        raise Conflict(
            "What they are doing has changed meanwhile. Look at what would happen now, and press again."
        )
    note = wanted.note.strip()[:MOST_NOTE]
    routing.set_presence(agent, wanted.presence, wanted.reason, now, by=user_id, note=note)
    if effect is ForceEffect.OFFER_BACK and task is not None:
        moves.end_offer(session, task, ReservationEnd.FREED, now)
    else:
        pipeline.follow_presence(session, agent, now)
    told = {"mode": wanted.presence.value, "effect": effect.value, "note": note}
    if wanted.reason and wanted.presence is Presence.NOT_READY:
        told["reason"] = wanted.reason.value
    accounts.record(session, user_id, "agent.set", str(agent_id), now, **told)
    return effect


def _lock_offered_task(session: Session, agent_id: UUID, seen: ForceEffect) -> CallTask | None:
    """Lock the call task whose offer would end, its customer first; None when no offer is to end."""
    user, known = session.get(User, agent_id), session.get(Agent, agent_id, populate_existing=True)
    if known is None or user is None or not user.is_active:
        raise NotFound("There is no such agent.")
    held = session.get(CallTask, known.call_task_id) if known.call_task_id else None
    if held is None or seen is not ForceEffect.OFFER_BACK:
        return None
    moves.lock_customer(session, held.customer_id)
    return task_queries.lock_task(session, held.id)


def _check(agent: Agent, wanted: Forced, now: datetime) -> None:
    reason = wanted.reason if wanted.presence is Presence.NOT_READY else None
    if (agent.presence, agent.not_ready_reason) == (wanted.presence, reason):
        raise Conflict("That is what they are already. Nothing was changed.")
    if wanted.presence is Presence.AVAILABLE and is_silent(agent.seen_at, now):
        raise Conflict("Their console is not open, so nobody would see an offer. Ask them to open it first.")
