"""What needs the supervisor now, in sentences: urgent first, then oldest."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from flask_babel import gettext

from callcenter.calls.policy import AGENT_BACK_WITHIN
from callcenter.conditions import Condition, FloorFacts, away_now, conditions_now, is_dialed_ahead
from callcenter.reporting.alarms import Alarm
from callcenter.reporting.alerts import AlertNow
from callcenter.reporting.dialing import BUDGET_DAYS, CampaignNow, DialingNow
from callcenter.reporting.floor import AgentNow, WaitingTasks
from callcenter.reporting.surges import SurgeNow
from callcenter.web.counts import ngettext
from callcenter.web.dialing_view import budget_of
from callcenter.web.formats import label, number, percent, span, time_of_day, time_with_seconds
from callcenter.web.pages.floor import Budget, Need
from callcenter.web.surge_words import surge_text, surge_title


def needs_now(
    facts: FloorFacts,
    alerts: Mapping[str, AlertNow],
    titles: Mapping[str, str],
    now: datetime,
    helps: Sequence[Need] = (),
) -> tuple[Need, ...]:
    """Return everything that needs a person as of `now`; `titles` name the campaigns, `helps` are raised hands.

    A customer who waits because their agent's line dropped comes before all else, then who asks for help (`helps`).
    What somebody has taken is quiet and comes last, until it gets worse.
    """
    needs = [_held(_need(one, facts, titles, now), alerts.get(one.key)) for one in conditions_now(facts, now)]
    return tuple(
        sorted([*needs, *helps], key=lambda need: (need.is_quiet, need.kind != "line", need.kind != "help"))
    )


def _held(need: Need, alert: AlertNow | None) -> Need:
    if alert is None:
        return need
    has = gettext("Somebody") if alert.acknowledged_at and not alert.has else alert.has
    return replace(
        need, has=has, note=alert.note, is_quiet=alert.is_quiet, is_worse=alert.worsened_at is not None
    )


def _need(one: Condition, facts: FloorFacts, titles: Mapping[str, str], now: datetime) -> Need:
    if isinstance(one.fact, Alarm):
        icon, title, text = _alarm_words(one.fact)
    elif isinstance(one.fact, AgentNow):
        icon, title, text = _agent_words(one.kind, one.fact, now)
    elif isinstance(one.fact, CampaignNow):
        icon, title, text = _campaign_words(one, one.fact, facts.dialing, titles)
    elif isinstance(one.fact, SurgeNow):
        icon, title, text = "loss", surge_title(one.fact, facts.journeys), surge_text(one.fact)
    else:
        icon, title, text = _promise_words(one.fact, away_now(facts.agents))
    stuck = one.subject if one.kind == "stuck" else None
    return Need(one.key, icon, one.tone, title, text, one.since, free_agent_id=stuck)


def _agent_words(kind: str, agent: AgentNow, now: datetime) -> tuple[str, str, str]:
    """Icon, title and text of what is the matter with an agent."""
    name = agent.name
    if kind == "line":
        text = gettext(
            "The customer hears a message and the agent is called back. After %(seconds)s s another free"
            " agent takes over; without one the call ends.",
            seconds=int(AGENT_BACK_WITHIN.total_seconds()),
        )
        return "line", gettext("The line of %(name)s dropped; the customer waits", name=name), text
    if kind == "stuck":
        return "stuck", gettext("%(name)s is stuck in reserved", name=name), _stuck_text(agent)
    if kind == "not-ready":
        reason = label(agent.not_ready_reason) if agent.not_ready_reason else label("not_ready")
        title = gettext("%(name)s is long not ready", name=name)
        return "pacing", title, gettext("%(reason)s, past what your team allows.", reason=reason)
    if kind == "long-talk":
        title = gettext("%(name)s has been talking for long", name=name)
        return "other", title, gettext("Past what your team expects. Perhaps they need help.")
    until = agent.wrap_up_until or now
    text = gettext("The limit passed %(span)s ago.", span=span((now - until).total_seconds()))
    if agent.is_silent and agent.seen_at:
        silent = gettext("Browser silent since %(time)s.", time=time_with_seconds(agent.seen_at))
        text = f"{text} {silent}"
    return "other", gettext("%(name)s is long in wrap-up", name=name), text


def _stuck_text(agent: AgentNow) -> str:
    if agent.is_silent and agent.seen_at:
        return gettext(
            "Browser silent since %(time)s. The call task waits with them.",
            time=time_with_seconds(agent.seen_at),
        )
    if agent.is_unseen and agent.offered_at:
        return gettext(
            "No console has shown the offer of %(time)s. The call task waits with them.",
            time=time_with_seconds(agent.offered_at),
        )
    return gettext("The offer has run out and was not taken back. The call task waits with them.")


def _promise_words(tasks: WaitingTasks, away: int) -> tuple[str, str, str]:
    waiting = ngettext(
        "%(num)s call task waits for an agent", "%(num)s call tasks wait for an agent", tasks.callable_now
    )
    not_ready = ngettext("%(num)s agent is not ready", "%(num)s agents are not ready", away)
    title = ngettext(
        "%(num)s call task is past twice its promise",
        "%(num)s call tasks are past twice their promise",
        tasks.overdue,
    )
    return "promise", title, gettext("%(waiting)s; %(not_ready)s.", waiting=waiting, not_ready=not_ready)


def _campaign_words(
    one: Condition, campaign: CampaignNow, dialing: DialingNow, titles: Mapping[str, str]
) -> tuple[str, str, str]:
    title = titles.get(campaign.key, campaign.key)
    if one.kind == "abandonment":
        budget = budget_of(campaign, dialed_ahead=is_dialed_ahead(campaign, dialing))
        return "abandonment", _abandonment_title(budget, title), _abandonment_text(budget)
    text = gettext(
        "No pacing decision since %(time)s; one is due each minute. Tell who runs the system, or set"
        " another mode.",
        time=time_of_day(one.since),
    )
    return "pacing", gettext("Nothing is dialed for %(campaign)s", campaign=title), text


def _alarm_words(alarm: Alarm) -> tuple[str, str, str]:
    """Icon, title and text of what went wrong."""
    if alarm.kind == "incident":
        title, text = _incident_words(alarm)
        return "carrier", title, text
    if alarm.kind == "attempt_unknown":
        title = ngettext(
            "%(num)s call may or may not have rung", "%(num)s calls may or may not have rung", alarm.cases
        )
        text = gettext("We are asking the carrier. Nobody should redial until it answers.")
        return "carrier", title, text
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
        return "other", title, text
    title = ngettext("%(num)s job was given up", "%(num)s jobs were given up", alarm.cases)
    text = gettext(
        "%(kind)s failed too often in the last 24 hours. Tell who runs the system.", kind=alarm.what
    )
    return "other", title, text


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
