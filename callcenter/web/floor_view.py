"""The floor's page from what the reports say: strip, queue and seats in the viewer's words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session

from callcenter.conditions import floor_facts
from callcenter.domain.alerts import Thresholds, thresholds_of
from callcenter.domain.enums import Presence, SupervisorMode, WorkState
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.reporting.agenda import hands_up
from callcenter.reporting.alarms import LastAct, last_act
from callcenter.reporting.alerts import alerts_now
from callcenter.reporting.figures import ABANDONMENT_BUDGET, FloorDay, floor_day
from callcenter.reporting.floor import (
    AgentNow,
    WaitingTasks,
    WatchNow,
    watches_now,
)
from callcenter.reporting.reports import Period, ReportCounts, occupied
from callcenter.triggers.queries import current_rules
from callcenter.web.dialing_view import dialing_panel
from callcenter.web.edge import chosen, frame, language, viewer, zone
from callcenter.web.floor_hands import help_needs, with_hands
from callcenter.web.floor_needs import needs_now
from callcenter.web.floor_queue import queue_of
from callcenter.web.formats import label, time_of_day
from callcenter.web.handing_over_view import transfer_needs
from callcenter.web.kept import kept
from callcenter.web.offer_words import skill_names, why_agent
from callcenter.web.pages import floor as page
from callcenter.web.receivers import receivers
from callcenter.web.words import step_words

LATE_ALLOWED = 0.1
"""Share of first rings that may miss their promise: a promise is kept at the 90th percentile."""


SEATS_SHOWN = 96
"""More seats than a supervisor can overlook; of a larger floor a team is chosen."""


def floor_page(session: Session, now: datetime, team: str | None = None) -> page.FloorPage:
    """Return the whole floor as of `now`, today being the viewer's day; some twenty queries whatever its size.

    `team`: whose seats are shown; all of them, up to `SEATS_SHOWN`, without one.
    """
    journeys = journeys_loaded(session)
    rules = current_rules(session, journeys)
    day_from = day_start(now)
    day = floor_day(session, day_from, now)
    facts = floor_facts(session, now)
    tasks, agents, dialing = facts.tasks, facts.agents, facts.dialing
    act = last_act(session, day_from)
    watches = watches_now(session, now)
    own = next((watch for watch in watches if watch.supervisor_id == viewer().id), None)
    titles = {key: chosen(dict(journey.title), key) for key, journey in journeys.items()}
    hands = hands_up(session)
    helps = (*help_needs(hands, agents, watches, own), *transfer_needs(session))
    names = skill_names(session)
    teams = sorted({agent.team for agent in agents})
    team = team if team in teams else None
    seated = [agent for agent in agents if team in (None, agent.team)]
    name = team or (teams[0] if len(teams) == 1 else gettext("All teams"))
    asked = f"?{urlencode({'team': team})}" if team else ""
    return page.FloorPage(
        # As of when it was read, not of when it was finished.
        frame=replace(
            frame("floor", team=name, live_url=f"/live/floor{asked}", state_url=f"/floor/state{asked}"),
            now=now,
        ),
        team=name,
        teams=_team_choices(teams, team),
        states=Counter(_state(agent)[0] for agent in seated),
        seats_hidden=max(0, len(seated) - SEATS_SHOWN),
        figures=figures_of(day, tasks, spent_today(session, now), now),
        needs=needs_now(facts, alerts_now(session), titles, now, helps),
        queue=queue_of(tasks, rules, names, receivers(session), now),
        seats=with_hands(
            (
                replace(
                    _seat(agent, journeys, watches, own, facts.thresholds, now),
                    why=why_agent(agent.offer_why or {}, names),
                )
                for agent in seated[:SEATS_SHOWN]
            ),
            hands,
        ),
        last_alert_at=act.alert_at,
        last_act=_act_words(act, titles),
        last_act_href=f"/floor/queue/{act.subject}?from=floor" if act.act.startswith("tasks.") else None,
        dialing=dialing_panel(dialing, journeys),
        watch=_own_watch(own, agents) if own else None,
        own_of=frozenset(
            (*(str(watch.supervisor_id) for watch in watches), *((act.user_id,) if act.user_id else ()))
        ),
    )


def _team_choices(teams: Sequence[str], chosen_team: str | None) -> tuple[page.TeamChoice, ...]:
    if len(teams) < 2:
        return ()
    found = [page.TeamChoice(gettext("All teams"), "/floor", chosen_team is None)]
    found += [page.TeamChoice(one, f"/floor?{urlencode({'team': one})}", one == chosen_team) for one in teams]
    return tuple(found)


def spent_today(session: Session, now: datetime) -> ReportCounts:
    """Return how long agents were busy today, and available at all; asked anew each half minute at most."""
    day = day_start(now)
    return kept("spent_today", day, now, lambda: occupied(session, Period(day, now, zone().key, now)))


def day_start(now: datetime) -> datetime:
    """Return the viewer's last midnight."""
    return now.astimezone(zone()).replace(hour=0, minute=0, second=0, microsecond=0)


def figures_of(
    day: FloorDay, tasks: WaitingTasks, spent: ReportCounts, now: datetime
) -> tuple[page.Figure, ...]:
    """Return the strip: what waits, how quick the first ring is, what was reached, and the budget."""
    total, speed, lost = day.total, day.speed, day.abandonment
    is_late = speed.rings > 0 and speed.late > speed.rings * LATE_ALLOWED
    is_over = lost.rate is not None and lost.rate > ABANDONMENT_BUDGET
    return (
        page.Figure("waiting", "count", tasks.pending, numerator=tasks.callable_now),
        _oldest(tasks, now),
        page.Figure(
            "speed_to_call",
            "clock",
            speed.p50,
            second=speed.p90,
            second_tone="warn" if is_late else "plain",
            denominator=speed.rings,
            threshold=speed.promise_seconds,
            trend=speed.p90_by_hour,
        ),
        page.Figure("attempts", "count", total.attempts, trend=_attempts_by_hour(day, now)),
        _share("reached", day, "reached", "attempts"),
        _share("right_party", day, "right_party", "reached"),
        _share("verified", day, "verified", "right_party"),
        page.Figure(
            "occupancy",
            "share",
            spent.share("busy_seconds", "available_seconds"),
            base_seconds=spent.available_seconds or None,
        ),
        page.Figure(
            "abandonment",
            "share",
            lost.rate,
            tone="bad" if is_over else "plain",
            numerator=lost.abandoned,
            denominator=lost.live_answers,
            threshold=ABANDONMENT_BUDGET,
        ),
    )


def _oldest(tasks: WaitingTasks, now: datetime) -> page.Figure:
    if tasks.oldest_at is None:
        return page.Figure("oldest", "clock", None)
    waited = (now - tasks.oldest_at).total_seconds()
    promise = tasks.oldest_promise_seconds or 0
    tone = "bad" if waited > 2 * promise else "warn" if waited > promise else "plain"
    return page.Figure("oldest", "clock", waited, tone=tone, since=tasks.oldest_at, threshold=promise)


def _share(code: str, day: FloorDay, part: str, whole: str) -> page.Figure:
    """A share of the day with its counts, and its course over the hours that have a base."""
    numerator, denominator = getattr(day.total, part), getattr(day.total, whole)
    hours = [(getattr(hour, part), getattr(hour, whole)) for _, hour in sorted(day.by_hour.items())]
    return page.Figure(
        code,
        "share",
        numerator / denominator if denominator else None,
        numerator=numerator,
        denominator=denominator,
        trend=tuple(some / of for some, of in hours if of),
    )


def _attempts_by_hour(day: FloorDay, now: datetime) -> tuple[float, ...]:
    """Attempts of each full hour since the first; the running hour would always look like a fall."""
    running = int((now - day_start(now)).total_seconds() // 3600)
    if not day.by_hour:
        return ()
    hours = range(min(day.by_hour), running)
    return tuple(float(day.by_hour[hour].attempts) if hour in day.by_hour else 0.0 for hour in hours)


def _seat(
    agent: AgentNow,
    journeys: Mapping[str, JourneyDefinition],
    watches: Sequence[WatchNow],
    own: WatchNow | None,
    known: Mapping[str, Thresholds],
    now: datetime,
) -> page.Seat:
    state, since = _state(agent)
    overrun = now - agent.wrap_up_until if agent.wrap_up_until else timedelta(0)
    is_busy = agent.work_state is not WorkState.IDLE
    is_lost = agent.lost_at is not None
    return page.Seat(
        agent_id=str(agent.id),
        name=agent.name,
        state=state,
        since=since,
        reason=agent.not_ready_reason if state == Presence.NOT_READY else None,
        step=_step(agent, journeys) if is_busy else None,
        tone="bad" if agent.is_stuck or is_lost else "warn" if overrun > timedelta(0) else "plain",
        may_free=agent.is_stuck or overrun > thresholds_of(known, agent.team).wrap_up,
        line=None if state == Presence.SIGNED_OFF else agent.line,
        may_watch=(own is None or own.has_failed)
        and agent.work_state is WorkState.TALKING
        and agent.line == "up",
        watchers=tuple(
            _watcher_words(watch) for watch in watches if watch.agent_id == agent.id and not watch.has_failed
        ),
    )


def _watcher_words(watch: WatchNow) -> str:
    """Who takes part in an agent's call and how, as the carrier says."""
    if watch.supervisor_id == viewer().id:
        words = {
            SupervisorMode.MONITOR: gettext("You listen"),
            SupervisorMode.WHISPER: gettext("You whisper"),
            SupervisorMode.BARGE: gettext("You speak to both"),
        }
        return words[watch.mode] if watch.mode else gettext("You: connecting…")
    name = watch.supervisor
    if watch.mode is SupervisorMode.MONITOR:
        return gettext("%(name)s listens", name=name)
    if watch.mode is SupervisorMode.WHISPER:
        return gettext("%(name)s whispers", name=name)
    if watch.mode is SupervisorMode.BARGE:
        return gettext("%(name)s speaks to both", name=name)
    return gettext("%(name)s: connecting…", name=name)


def _own_watch(watch: WatchNow, agents: Sequence[AgentNow]) -> page.Watch:
    agent = next((one for one in agents if one.id == watch.agent_id), None)
    return page.Watch(
        id=str(watch.id),
        agent=watch.agent,
        mode=watch.mode.value if watch.mode else None,
        wanted=watch.mode_wanted.value,
        since=watch.joined_at or watch.asked_at,
        on_call=agent is not None and agent.work_state is WorkState.TALKING,
        is_leaving=watch.is_leaving,
        has_failed=watch.has_failed,
    )


def _state(agent: AgentNow) -> tuple[str, datetime]:
    """What the seat shows: the work under way first, then what the agent wants."""
    if agent.work_state is not WorkState.IDLE:
        since = agent.offered_at if agent.is_stuck and agent.offered_at else agent.work_state_at
        return agent.work_state.value, since
    if agent.presence is Presence.AVAILABLE:
        return WorkState.IDLE.value, max(agent.work_state_at, agent.presence_at)
    return agent.presence.value, agent.presence_at


def _step(agent: AgentNow, journeys: Mapping[str, JourneyDefinition]) -> str | None:
    if agent.journey is None or agent.step is None:
        return None
    return step_words(journeys.get(agent.journey), agent.step, language())


def _act_words(act: LastAct, titles: Mapping[str, str]) -> str | None:
    """The newest act on the floor: who did what, to whom and when."""
    if act.at is None:
        return None
    is_own = act.user_id == str(viewer().id)
    words = {
        "who": gettext("You") if is_own else act.by_name or gettext("Somebody"),
        "name": act.agent_name or gettext("an agent"),
        "mode": label(act.mode),
        "campaign": titles.get(act.subject, act.subject),
        "time": time_of_day(act.at),
        "n": act.changed or 0,
    }
    if act.act == "agent.freed":
        if is_own:
            return gettext("You freed %(name)s at %(time)s. Acts are logged.", **words)
        return gettext("%(who)s freed %(name)s at %(time)s. Acts are logged.", **words)
    texts = {
        "watch.begun": gettext("%(time)s %(who)s: %(mode)s, call of %(name)s. Acts are logged.", **words),
        "watch.changed": gettext("%(time)s %(who)s: %(mode)s, call of %(name)s. Acts are logged.", **words),
        "watch.left": gettext("%(time)s %(who)s left the call of %(name)s. Acts are logged.", **words),
        "campaign.set": gettext("%(time)s %(who)s set %(campaign)s to %(mode)s. Acts are logged.", **words),
        "campaign.paused": gettext("%(time)s %(who)s paused %(campaign)s. Acts are logged.", **words),
        "campaign.resumed": gettext("%(time)s %(who)s let %(campaign)s go on. Acts are logged.", **words),
        "campaign.hours": gettext(
            "%(time)s %(who)s set the hours of %(campaign)s. Acts are logged.", **words
        ),
        "tasks.assigned": gettext("%(time)s %(who)s assigned %(n)s call tasks. Acts are logged.", **words),
        "tasks.expired": gettext("%(time)s %(who)s let %(n)s call tasks expire. Acts are logged.", **words),
        "tasks.brought_back": gettext("%(time)s %(who)s brought %(n)s call tasks back.", **words),
        "tasks.restored": gettext("%(time)s %(who)s undid an act on call tasks.", **words),
        "dialing.allowed": gettext("%(time)s %(who)s switched automatic dialing on.", **words),
        "dialing.stopped": gettext("%(time)s %(who)s switched automatic dialing off.", **words),
    }
    return texts.get(act.act)
