"""The agent console's page: rail, and either the call task before the agent or why there is none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import gettext

from callcenter.dialing.queries import modes_in_force
from callcenter.domain.enums import AUTOMATIC_MODES, DialingMode, WorkState
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import Agent, User
from callcenter.outcomes.queries import disposition_kinds
from callcenter.pipeline import NotDialed
from callcenter.reporting import agents as report
from callcenter.reporting.agents import DayFigures, OwnDay
from callcenter.reporting.calls import case_of_task, just_withdrawn
from callcenter.reporting.desk import Desk, Looker, desk_of, team_day
from callcenter.routing.policy import PREVIEW, WRAP_UP
from callcenter.routing.rules import CHOSEN_REASONS
from callcenter.runtime import Runtime
from callcenter.web import words
from callcenter.web.call_view import current_call
from callcenter.web.console_agenda import DONE_FOR, callbacks_of, follow_ups_about, follow_ups_of, help_of
from callcenter.web.console_choices import choices_of
from callcenter.web.console_offers import offers_about
from callcenter.web.edge import chosen, frame, language, zone
from callcenter.web.handing_over_view import hand_over_form, handed_over, offer_why
from callcenter.web.kept import kept
from callcenter.web.offer_words import skills_of
from callcenter.web.own_reviews import SHOWN_FOR, own_reviews
from callcenter.web.pages import console as page
from callcenter.web.pages.agenda import CallbackDue, FollowUpDesk
from callcenter.web.softphone import softphone_of
from callcenter.web.targets_view import own_targets

_GONE_SHOWN_FOR = timedelta(seconds=15)
_AT_ONCE = ("no_agent", "in_preview", "nobody_suits", "transfer_asked")
"""Of these nobody can say when the wait is over."""


def console_page(
    runtime: Runtime, session: Any, user: User, now: datetime, not_dialed: NotDialed | None = None
) -> page.ConsolePage:
    """Return the whole console of an agent, as it is now."""
    agent = session.get_one(Agent, user.id, populate_existing=True)
    day = _day_start(now)
    who = Looker(agent.id, agent.team, agent.work_state_at, day, now - DONE_FOR, now - SHOWN_FOR)
    desk = desk_of(session, who, now)
    journeys = journeys_loaded(session)
    titles = {
        (journey.id, step.id): words.step_words(journey, step.id, language())
        for journey in journeys.values()
        for step in journey.steps
    }
    call_task_id = agent.call_task_id if agent.work_state != WorkState.IDLE else None
    if call_task_id is None and desk.was_withdrawn:
        gone = just_withdrawn(session, agent, now, _GONE_SHOWN_FOR)
        call_task_id = gone.id if gone else None
    callbacks = (
        callbacks_of(runtime, session, agent, titles, now, with_times=call_task_id is None)
        if desk.has_callbacks
        else ()
    )
    rail = _rail(session, agent, user, now, desk, OwnDay(desk.own, _colleagues(session, who, now)), callbacks)
    call = None
    if call_task_id is not None:
        case = case_of_task(session, call_task_id)
        call = current_call(
            runtime,
            session,
            case,
            journeys[case.firing.journey],
            agent,
            user,
            disposition_kinds(session),
            now,
            not_dialed,
        )
        if call.attempt_id is not None:
            call = replace(call, follow_ups=follow_ups_about(session, agent, case.customer.id, now))
        if call.phase != "gone":
            call = replace(call, offers=offers_about(session, case, agent, now))
        if call.phase == "talking":
            call = replace(call, help=help_of(session, agent, now))
        if call.phase in ("reserved", "previewing", "wrapping"):
            call = replace(
                call,
                hand_over=hand_over_form(session, agent),
                offer_why=offer_why(session, case.task, case.reservation),
            )
    head = frame("console", team=agent.team, live_url="/live/console", state_url="/console/state")
    idle = page.Idle()
    if call is None:
        choices = choices_of(runtime, session, agent, journeys, now) if desk.has_campaigns else None
        targets, points = own_targets(session, agent, now) if desk.has_targets else ((), None)
        idle = replace(
            _idle(session, agent, now, day, desk, callbacks, titles, choices),
            follow_ups=follow_ups_of(session, agent, now) if desk.has_follow_ups else FollowUpDesk(),
            reviews=own_reviews(session, agent, now) if desk.has_reviews else (),
            targets=targets,
            points=points,
            handed_over=handed_over(session, agent.id) if desk.has_handed_over else (),
            hand_over=hand_over_form(session, agent) if any(one.is_mine for one in callbacks) else None,
        )
    return page.ConsolePage(
        frame=head, rail=rail, call=call, idle=idle, softphone=softphone_of(runtime.settings, agent.address)
    )


def _day_start(now: datetime) -> datetime:
    return now.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _colleagues(session: Any, who: Looker, now: datetime) -> tuple[DayFigures, ...]:
    """The day of the others in the team, for its medians; asked anew each half minute at most."""
    key = (who.team, who.day)
    members = kept("team_days", key, now, lambda: team_day(session, *key))
    return tuple(figures for agent_id, figures in members.items() if agent_id != who.agent_id)


def _set_by(session: Any, agent: Agent) -> page.PresenceSet | None:
    """Who set the agent's presence, where it was not they themselves."""
    if agent.presence_by is None:
        return None
    user = session.get(User, agent.presence_by)
    name = user.name if user else gettext("Somebody")
    return page.PresenceSet(name, agent.presence_at, agent.presence_note)


def _rail(
    session: Any,
    agent: Agent,
    user: User,
    now: datetime,
    desk: Desk,
    own_day: OwnDay,
    callbacks: tuple[CallbackDue, ...],
) -> page.Rail:
    waiting = desk.waiting
    return page.Rail(
        agent_name=user.name,
        signed_in_at=agent.signed_on_at,
        presence=agent.presence,
        presence_reason=agent.not_ready_reason,
        presence_since=agent.presence_at,
        presence_set=_set_by(session, agent),
        may_choose=tuple(one.value for one in CHOSEN_REASONS),
        work_state=agent.work_state,
        work_state_since=agent.work_state_at,
        waiting=sum(row.n for row in waiting),
        callable_now=sum(row.n for row in waiting if row.why == "no_agent"),
        oldest_since=min((row.oldest for row in waiting if row.oldest), default=None),
        last_wrap_up_seconds=agent.last_wrap_up_seconds,
        callbacks=callbacks,
        overdue=sum(one.is_overdue(now) for one in callbacks),
        numbers=_numbers(own_day),
        team_now=tuple(page.StateCount(row.code, row.n) for row in desk.team),
    )


def _numbers(day: OwnDay) -> tuple[page.OwnNumber, ...]:
    own = day.own
    busiest = max([one.attempts for one in day.team], default=0)
    numbers = [
        page.OwnNumber(
            "attempts", "count", own.attempts, day.team_median("attempts"), max(10.0, busiest * 1.2)
        )
    ]
    bases = {"reached": own.attempts, "right_party": own.reached, "verified": own.right_party}
    for code, base in bases.items():
        numbers.append(
            page.OwnNumber(
                code, "share", own.share(code), day.team_median(code), 1.0, getattr(own, code), base
            )
        )
    limit = WRAP_UP.total_seconds()
    numbers.append(
        page.OwnNumber(
            "wrap_up",
            "clock",
            own.wrap_up,
            day.team_median("wrap_up"),
            2 * limit,
            None,
            own.wrapped or None,
            target=limit,
        )
    )
    return tuple(numbers)


def _idle(
    session: Any,
    agent: Agent,
    now: datetime,
    day: datetime,
    desk: Desk,
    callbacks: tuple[CallbackDue, ...],
    titles: Any,
    choices: page.Choices | None,
) -> page.Idle:
    is_in_line = agent.presence == "available"
    waits = tuple(
        page.WaitReason(row.why, row.n, row.first_at if row.why not in _AT_ONCE else None)
        for row in desk.waiting
        if choices is None or row.why != "no_agent"  # those are in the list
    )
    return page.Idle(
        place_in_line=max(1, desk.place) if is_in_line else None,
        idle_agents=desk.idle if is_in_line else None,
        skills=skills_of(session, agent),
        why_none=waits,
        callbacks=callbacks,
        attempts=tuple(_last(row, titles, now) for row in report.last_attempts(session, agent.id, day))
        if desk.has_attempts
        else (),
        preview_seconds=int(PREVIEW.total_seconds()),
        mode=next(iter(sorted(modes_in_force(session) & AUTOMATIC_MODES)), DialingMode.PREVIEW)
        if desk.has_campaigns
        else DialingMode.PREVIEW,
        choices=choices,
    )


def _last(row: Any, titles: Any, now: datetime) -> page.LastAttempt:
    rang_until = row.answered_at or row.ended_at
    attempt = page.LastAttempt(
        at=row.claimed_at,
        customer=row.name or gettext("Unknown name"),
        step=titles.get((row.journey, row.step), row.step),
        result=row.result or "unknown",
        disposition=chosen(row.label) or None,
        rang_seconds=int((rang_until - row.ringing_at).total_seconds())
        if row.ringing_at and rang_until
        else None,
    )
    if row.converted_at:
        minutes = max(0, int((row.converted_at - row.claimed_at).total_seconds() // 60))
        return replace(attempt, then=gettext("Passed after %(m)s min", m=minutes), then_tone="good")
    if row.callback_at and row.callback_at > now:
        return replace(attempt, then=gettext("Callback set"), then_tone="plain")
    if row.window_until and row.window_until > now:
        minutes = int((now - row.claimed_at).total_seconds() // 60)
        return replace(attempt, then=gettext("Not yet, %(m)s min", m=minutes), then_tone="wait")
    return attempt
