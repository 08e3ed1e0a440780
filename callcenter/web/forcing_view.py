"""One agent, and what setting their state would do, in the viewer's words."""

from datetime import datetime
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.domain.enums import ForceEffect, Presence, WorkState
from callcenter.errors import NotFound
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Agent, CallTask, User
from callcenter.routing.rules import CHOSEN_REASONS, effect_of_forcing, is_silent
from callcenter.web.edge import language
from callcenter.web.floor_frame import part_frame
from callcenter.web.formats import label
from callcenter.web.pages import forcing as page
from callcenter.web.words import step_words


def agent_page(
    session: Session,
    agent_id: UUID,
    now: datetime,
    *,
    chosen: str = "",
    typed: str = "",
    error: str | None = None,
) -> page.AgentPage:
    """Return an agent with what may be set; `chosen`, `typed` and `error` of a form that came back."""
    agent, user = session.get(Agent, agent_id), session.get(User, agent_id)
    if agent is None or user is None or not user.is_active:
        raise NotFound("There is no such agent.")
    head, tabs = part_frame("floor")
    by = session.get(User, agent.presence_by) if agent.presence_by else None
    return page.AgentPage(
        frame=head,
        tabs=tabs,
        agent_id=str(agent.id),
        name=user.name,
        team=agent.team,
        presence=agent.presence,
        reason=agent.not_ready_reason,
        presence_at=agent.presence_at,
        work_state=agent.work_state,
        work_state_at=agent.work_state_at,
        groups=_groups(agent, now),
        step=_step(session, agent),
        set_by=by.name if by else None,
        note=agent.presence_note,
        chosen=chosen,
        typed=typed,
        error=error,
    )


def _step(session: Session, agent: Agent) -> str | None:
    task = session.get(CallTask, agent.call_task_id) if agent.call_task_id else None
    if task is None:
        return None
    return step_words(journeys_loaded(session).get(task.journey), task.step, language())


def _groups(agent: Agent, now: datetime) -> tuple[page.StateGroup, ...]:
    work_state = WorkState(agent.work_state)
    barred = ""
    if is_silent(agent.seen_at, now):
        barred = gettext("Their console is not open; nobody would see an offer.")
    is_not_ready = agent.presence == Presence.NOT_READY
    reasons = tuple(
        page.StateChoice(
            f"not_ready:{one.value}", label(one.value), is_now=is_not_ready and agent.not_ready_reason == one
        )
        for one in CHOSEN_REASONS
    )
    others = {Presence.AVAILABLE: barred, Presence.SIGNED_OFF: ""}
    return (
        page.StateGroup(
            "not_ready", label("not_ready"), effect_words(Presence.NOT_READY, work_state), reasons
        ),
        *(
            page.StateGroup(
                one.value,
                label(one.value),
                effect_words(one, work_state),
                (page.StateChoice(one.value, label(one.value), agent.presence == one, why),),
            )
            for one, why in others.items()
        ),
    )


def effect_words(wanted: Presence, work_state: WorkState) -> str:
    """Say in a sentence what setting a presence would do while the agent is in a work state."""
    effect = effect_of_forcing(wanted, work_state)
    if wanted is Presence.AVAILABLE:
        words = {
            ForceEffect.AT_ONCE: gettext("At once: the next call task that suits them is offered to them.")
            if work_state is WorkState.IDLE
            else gettext("They keep the offer before them, and are offered others after it."),
            ForceEffect.AFTER_CALL: gettext(
                "The call is not cut. After the wrap-up they are offered the next call task."
            ),
            ForceEffect.AFTER_WRAP_UP: gettext(
                "They finish the wrap-up first; then they are offered the next call task."
            ),
        }
        return words[effect]
    at_once = (
        gettext("At once: nothing is offered to them, and their line is let go.")
        if wanted is Presence.SIGNED_OFF
        else gettext("At once: nothing is offered to them until they are available again.")
    )
    return {
        ForceEffect.AT_ONCE: at_once,
        ForceEffect.OFFER_BACK: gettext(
            "At once: the offer before them goes back to the queue and to somebody else."
        ),
        ForceEffect.AFTER_CALL: gettext("The call is not cut. It takes effect after the wrap-up."),
        ForceEffect.AFTER_WRAP_UP: gettext("They finish the wrap-up first. It takes effect when they save."),
    }[effect]
