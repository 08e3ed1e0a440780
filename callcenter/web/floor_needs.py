"""What needs the supervisor now, in sentences: urgent first, then oldest."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from flask_babel import gettext, ngettext

from callcenter.calls.policy import AGENT_BACK_WITHIN
from callcenter.domain.enums import Presence, WorkState
from callcenter.reporting.alarms import Alarm
from callcenter.reporting.dialing import BUDGET_DAYS, DialingNow
from callcenter.reporting.floor import AgentNow, WaitingTasks
from callcenter.web.dialing_view import budget_of, is_dialed_ahead, stands_still_since
from callcenter.web.formats import number, percent, span, time_of_day, time_with_seconds
from callcenter.web.pages.floor import Budget, Need

LONG_WRAP_UP = timedelta(minutes=3)
"""How far past its limit a wrap-up may run before the supervisor is told."""
ENOUGH_ANSWERS = 100
"""Live answers under which a single abandoned call swings the rate, so that it is only worth watching."""


def needs_now(
    tasks: WaitingTasks,
    agents: Sequence[AgentNow],
    alarms: Sequence[Alarm],
    dialing: DialingNow,
    titles: Mapping[str, str],
    now: datetime,
    helps: Sequence[Need] = (),
) -> tuple[Need, ...]:
    """Return everything that needs a person as of `now`; `titles` name the campaigns, `helps` are raised hands.

    A customer who waits because their agent's line dropped comes before all else, then who asks for help.
    """
    needs = [
        *helps,
        *_lines_lost(agents),
        *_stuck(agents),
        *_wrap_ups(agents, now),
        *_promise(tasks, agents),
        *(_alarm(alarm) for alarm in alarms),
        *_abandonment(dialing, titles, now),
        *_still(dialing, titles, now),
    ]
    return tuple(
        sorted(
            needs,
            key=lambda need: (
                need.kind != "line",
                need.tone != "urgent",
                need.kind != "help",
                need.since,
                need.id,
            ),
        )
    )


def _lines_lost(agents: Sequence[AgentNow]) -> Iterator[Need]:
    for agent in agents:
        if agent.lost_at is None:
            continue
        yield Need(
            id=f"line-{agent.id}",
            kind="line",
            tone="urgent",
            title=gettext("The line of %(name)s dropped; the customer waits", name=agent.name),
            text=gettext(
                "The customer hears a message and the agent is called back. After %(seconds)s s another free"
                " agent takes over; without one the call ends.",
                seconds=int(AGENT_BACK_WITHIN.total_seconds()),
            ),
            since=agent.lost_at,
        )


def _stuck(agents: Sequence[AgentNow]) -> Iterator[Need]:
    for agent in agents:
        if not agent.is_stuck:
            continue
        if agent.is_silent and agent.seen_at:
            text = gettext(
                "Browser silent since %(time)s. The call task waits with them.",
                time=time_with_seconds(agent.seen_at),
            )
        else:
            text = gettext("The offer has run out and was not taken back. The call task waits with them.")
        yield Need(
            id=f"stuck-{agent.id}",
            kind="stuck",
            tone="urgent",
            title=gettext("%(name)s is stuck in reserved", name=agent.name),
            text=text,
            since=agent.offered_at or agent.work_state_at,
            free_agent_id=str(agent.id),
        )


def _wrap_ups(agents: Sequence[AgentNow], now: datetime) -> Iterator[Need]:
    for agent in agents:
        until = agent.wrap_up_until
        if agent.work_state is not WorkState.WRAPPING or until is None or now - until <= LONG_WRAP_UP:
            continue
        text = gettext("The limit passed %(span)s ago.", span=span((now - until).total_seconds()))
        if agent.is_silent and agent.seen_at:
            silent = gettext("Browser silent since %(time)s.", time=time_with_seconds(agent.seen_at))
            text = f"{text} {silent}"
        yield Need(
            id=f"wrap-up-{agent.id}",
            kind="other",
            tone="watch",
            title=gettext("%(name)s is long in wrap-up", name=agent.name),
            text=text,
            since=until,
        )


def _promise(tasks: WaitingTasks, agents: Sequence[AgentNow]) -> Iterator[Need]:
    away = sum(
        agent.presence is Presence.NOT_READY and agent.work_state is WorkState.IDLE for agent in agents
    )
    if not tasks.overdue or tasks.overdue_at is None or not away:
        return
    waiting = ngettext(
        "%(num)s call task waits for an agent", "%(num)s call tasks wait for an agent", tasks.callable_now
    )
    not_ready = ngettext("%(num)s agent is not ready", "%(num)s agents are not ready", away)
    yield Need(
        id="promise",
        kind="promise",
        tone="watch",
        title=ngettext(
            "%(num)s call task is past twice its promise",
            "%(num)s call tasks are past twice their promise",
            tasks.overdue,
        ),
        text=gettext("%(waiting)s; %(not_ready)s.", waiting=waiting, not_ready=not_ready),
        since=tasks.overdue_at,
    )


def _alarm(alarm: Alarm) -> Need:
    kind, tone, title, text = _alarm_words(alarm)
    return Need(
        id=f"{alarm.kind}-{alarm.what}".rstrip("-"),
        kind=kind,
        tone=tone,
        title=title,
        text=text,
        since=alarm.since,
    )


def _alarm_words(alarm: Alarm) -> tuple[str, str, str, str]:
    """Kind, tone, title and text of what went wrong."""
    if alarm.kind == "incident":
        title, text = _incident_words(alarm)
        return "carrier", "urgent", title, text
    if alarm.kind == "attempt_unknown":
        title = ngettext(
            "%(num)s call may or may not have rung", "%(num)s calls may or may not have rung", alarm.cases
        )
        text = gettext("We are asking the carrier. Nobody should redial until it answers.")
        return "carrier", "watch", title, text
    if alarm.kind == "undecided":
        title = ngettext(
            "%(num)s firing of %(rule)s is undecided",
            "%(num)s firings of %(rule)s are undecided",
            alarm.cases,
            rule=alarm.what,
        )
        text = gettext(
            "The decision failed three times or more: no call and no hold-out. Look at rule and scripts."
        )
        return "other", "watch", title, text
    title = ngettext("%(num)s job was given up", "%(num)s jobs were given up", alarm.cases)
    text = gettext(
        "%(kind)s failed too often in the last 24 hours. Tell who runs the system.", kind=alarm.what
    )
    return "other", "watch", title, text


def _incident_words(alarm: Alarm) -> tuple[str, str]:
    if alarm.what == "second_call_for_attempt":
        title = ngettext(
            "A customer may have been called twice",
            "%(num)s customers may have been called twice",
            alarm.cases,
        )
        return title, gettext(
            "The carrier reports a second call for one attempt. Find the cause before going on."
        )
    if alarm.what == "news_of_a_call_never_placed":
        title = ngettext(
            "The carrier reports a call we never placed",
            "The carrier reports %(num)s calls we never placed",
            alarm.cases,
        )
        return title, gettext("We had noted that it was not placed. The customer may have been called.")
    if alarm.what == "call_without_attempt":
        title = ngettext(
            "The carrier lists a call that belongs to no attempt",
            "The carrier lists %(num)s calls that belong to no attempt",
            alarm.cases,
        )
        return title, gettext(
            "A day's list was laid beside our attempts. Find out who placed it; the incident names call and day."
        )
    title = ngettext("%(num)s incident is open", "%(num)s incidents are open", alarm.cases)
    return title, alarm.what.replace("_", " ").capitalize()


def _abandonment(dialing: DialingNow, titles: Mapping[str, str], now: datetime) -> Iterator[Need]:
    for campaign in dialing.campaigns:
        budget = budget_of(campaign, dialed_ahead=is_dialed_ahead(campaign, dialing))
        if budget.tone == "plain":
            continue
        title = titles.get(campaign.key, campaign.key)
        yield Need(
            id=f"abandonment-{campaign.key}",
            kind="abandonment",
            tone="urgent" if budget.left < 0 and budget.answers >= ENOUGH_ANSWERS else "watch",
            title=_abandonment_title(budget, title),
            text=_abandonment_text(budget),
            since=campaign.last_abandoned_at or now,
        )


def _abandonment_title(budget: Budget, title: str) -> str:
    if budget.left < 0:
        return gettext(
            "Abandonment in %(campaign)s is %(rate)s of %(budget)s",
            campaign=title,
            rate=percent(budget.abandoned / budget.answers),
            budget=percent(budget.ceiling, 0),
        )
    return ngettext(
        "%(campaign)s may abandon %(num)s more call",
        "%(campaign)s may abandon %(num)s more calls",
        budget.left,
        campaign=title,
    )


def _abandonment_text(budget: Budget) -> str:
    counts = gettext(
        "%(part)s of %(whole)s customers who answered in %(days)s days met no agent.",
        part=number(budget.abandoned),
        whole=number(budget.answers),
        days=BUDGET_DAYS,
    )
    if budget.left < 1:
        after = gettext(
            "One line for each agent until %(answers)s have answered.", answers=number(budget.next_at)
        )
    else:
        after = gettext("Once it is spent, each agent has one line only.")
    return f"{counts} {after}"


def _still(dialing: DialingNow, titles: Mapping[str, str], now: datetime) -> Iterator[Need]:
    for campaign in dialing.campaigns:
        since = stands_still_since(campaign, dialing, now)
        if since is None:
            continue
        yield Need(
            id=f"still-{campaign.key}",
            kind="pacing",
            tone="watch",
            title=gettext(
                "Nothing is dialed for %(campaign)s", campaign=titles.get(campaign.key, campaign.key)
            ),
            text=gettext(
                "No pacing decision since %(time)s; one is due each minute. Tell who runs the system, or set"
                " another mode.",
                time=time_of_day(since),
            ),
            since=since,
        )
