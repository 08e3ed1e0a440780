"""What an agent has promised, as the console shows it: callbacks, follow-ups, and the help they have asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext
from sqlmodel import Session

from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import times_to_offer
from callcenter.domain.enums import FollowUpKind, Purpose, SupervisorMode, TaskState
from callcenter.models import Agent
from callcenter.outcomes.rules import LONGEST_FOLLOW_UP
from callcenter.reporting import agenda as report
from callcenter.reporting.floor import watches_now
from callcenter.runtime import Runtime
from callcenter.web import words
from callcenter.web.edge import zone
from callcenter.web.pages import agenda as page

DONE_FOR = timedelta(days=7)
"""How long a follow-up that is done stays in sight."""
_SUGGESTED_IN = timedelta(days=1)


def callbacks_of(
    runtime: Runtime,
    session: Session,
    agent: Agent,
    titles: Mapping[tuple[str, str], str],
    now: datetime,
    *,
    with_times: bool,
) -> tuple[page.CallbackDue, ...]:
    """Return an agent's callbacks and anyone's; `with_times` asks the gate when else each may be called."""
    found = report.callbacks_before(session, agent.id)
    changeable = [one for one in found if one[0].closed_at is None and one[1].state == TaskState.PENDING]
    times = _times(runtime, session, changeable, now) if with_times else {}
    return tuple(
        page.CallbackDue(
            due_at=row.due_at,
            customer=customer.name or gettext("Unknown name"),
            is_mine=row.agent_id == agent.id,
            step=titles.get((task.journey, task.step), task.step),
            said=row.said,
            id=str(row.id),
            masked_number=words.mask_number(customer.number),
            time_zone=words.zone_of(customer),
            place=words.place_of(customer),
            times=times.get(row.id, ()),
            may_change=row.closed_at is None and task.state == TaskState.PENDING,
            lost_because=row.lost_because,
        )
        for row, task, customer in found
    )


def _times(
    runtime: Runtime, session: Session, found: Sequence[report.Promise], now: datetime
) -> dict[Any, tuple[datetime, ...]]:
    """When else the gate lets each be called; nothing of it is kept, the gate is asked anew when one is chosen."""
    if not found:
        return {}
    calls = [ProposedCall(customer, Purpose(task.purpose), task.journey) for _, task, customer in found]
    known = look(session, runtime.house.gate, calls, now)
    return {
        row.id: tuple(at for at in times_to_offer(facts, policy, now) if at != row.due_at) if policy else ()
        for (row, _, _), (facts, policy) in zip(found, known, strict=True)
    }


def follow_ups_of(session: Session, agent: Agent, now: datetime) -> page.FollowUpDesk:
    """Return an agent's own follow-ups: open ones by day, and those done lately."""
    rows = _rows(report.follow_ups_of(session, agent.id), agent)
    done = _rows(report.follow_ups_done(session, agent.id, now - DONE_FOR), agent)
    more = report.follow_ups_open(session, agent.id) - len(rows)
    return _desk(session, agent, now, rows, done, more)


def follow_ups_about(session: Session, agent: Agent, customer_id: Any, now: datetime) -> page.FollowUpDesk:
    """Return what is open about the customer on the call, and what a form for another needs."""
    return _desk(session, agent, now, _rows(report.follow_ups_about(session, customer_id), agent))


def _desk(
    session: Session,
    agent: Agent,
    now: datetime,
    rows: tuple[page.FollowUpRow, ...],
    done: tuple[page.FollowUpRow, ...] = (),
    more: int = 0,
) -> page.FollowUpDesk:
    today = now.astimezone(zone()).date()
    return page.FollowUpDesk(
        rows=rows,
        done=done,
        more=more,
        kinds=tuple(kind.value for kind in FollowUpKind),
        owners=tuple(page.Owner(str(one.id), one.name) for one in report.owners_in_team(session, agent)),
        today=today,
        suggested_on=today + _SUGGESTED_IN,
        latest_on=today + LONGEST_FOLLOW_UP,
    )


def _rows(found: Sequence[report.FollowUpFound], agent: Agent) -> tuple[page.FollowUpRow, ...]:
    return tuple(
        page.FollowUpRow(
            id=str(row.id),
            kind=row.kind,
            text=row.text,
            customer=customer.name or gettext("Unknown name"),
            masked_number=words.mask_number(customer.number),
            owner=page.Owner(str(owner.id), owner.name),
            due_on=row.due_on,
            is_mine=agent.id in (row.owner_id, row.created_by),
            closed_at=row.closed_at,
        )
        for row, customer, owner in found
    )


def help_of(session: Session, agent: Agent, now: datetime) -> page.Help:
    """Return an agent's raised hand, who has seen it, and who is on the call since."""
    hand = next((one for one in report.hands_up(session) if one.agent_id == agent.id), None)
    if hand is None:
        return page.Help()
    texts = {
        SupervisorMode.MONITOR: gettext("%(name)s listens"),
        SupervisorMode.WHISPER: gettext("%(name)s whispers"),
        SupervisorMode.BARGE: gettext("%(name)s speaks to both"),
    }
    on_call = [one for one in watches_now(session, now) if one.agent_id == agent.id and one.mode]
    return page.Help(
        asked_at=hand.asked_at,
        seen_by=hand.seen_by,
        listeners=tuple(texts[one.mode] % {"name": one.supervisor} for one in on_call if one.mode),
    )
