"""The floor's page from what the reports say: strip, queue and seats in the viewer's words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from flask_babel import gettext
from sqlmodel import Session

from callcenter.conditions import floor_facts
from callcenter.domain.alerts import Thresholds, thresholds_of
from callcenter.domain.enums import Presence, SupervisorMode, WorkState
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.reporting.agenda import hands_up
from callcenter.reporting.alarms import last_act
from callcenter.reporting.alerts import alerts_now
from callcenter.reporting.floor import AgentNow, WatchNow, rules_waiting, tasks_waiting, watches_now
from callcenter.routing.policy import SILENT_BROWSER
from callcenter.routing.rules import state_shown
from callcenter.triggers.queries import current_rules
from callcenter.web.dialing_view import dialing_panel
from callcenter.web.edge import chosen, frame, language, viewer
from callcenter.web.floor_acts import act_words
from callcenter.web.floor_asked import DAYS, EVERYTHING, Asked
from callcenter.web.floor_hands import help_needs, with_hands
from callcenter.web.floor_needs import needs_now
from callcenter.web.floor_queue import queue_of
from callcenter.web.floor_strip import day_end, day_figures, day_start, figures_of, spent_today
from callcenter.web.formats import day_name
from callcenter.web.handing_over_view import transfer_needs
from callcenter.web.offer_words import skill_names, why_agent
from callcenter.web.pages import floor as page
from callcenter.web.pages.studio import Choice
from callcenter.web.receivers import receivers
from callcenter.web.words import step_words

SEATS_SHOWN = 96
"""More seats than a supervisor can overlook; of a larger floor a team is chosen."""


def floor_page(session: Session, now: datetime, asked: Asked = EVERYTHING) -> page.FloorPage:
    """Return the whole floor as of `now`, the day being the viewer's; some twenty queries whatever its size.

    `asked`: whose seats, of which campaign queue and strip, of which day the strip, and whether rows are grouped.
    Up to `SEATS_SHOWN` seats are shown. What needs a person is told whatever is asked.
    """
    journeys = journeys_loaded(session)
    rules = current_rules(session, journeys)
    facts = floor_facts(session, now)
    agents, dialing = facts.agents, facts.dialing
    teams = sorted({agent.team for agent in agents})
    asked = asked.checked(teams, journeys)
    tasks = facts.tasks
    if asked.campaign:
        tasks = tasks_waiting(session, now, SILENT_BROWSER, asked.campaign)
    groups = rules_waiting(session, now, SILENT_BROWSER, asked.campaign) if asked.by_rule else ()
    day_from, until = day_start(now, asked.days_ago), day_end(now, asked.days_ago)
    day = day_figures(session, now, asked.days_ago, asked.campaign)
    spent = None if asked.campaign else spent_today(session, now, asked.days_ago)
    act = last_act(session, day_start(now))
    watches = watches_now(session, now)
    own = next((watch for watch in watches if watch.supervisor_id == viewer().id), None)
    titles = {key: chosen(dict(journey.title), key) for key, journey in journeys.items()}
    hands = hands_up(session)
    helps = (*help_needs(hands, agents, watches, own), *transfer_needs(session))
    names = skill_names(session)
    seated = [agent for agent in agents if asked.team in (None, agent.team)]
    name = asked.team or (teams[0] if len(teams) == 1 else gettext("All teams"))
    query = asked.query()
    return page.FloorPage(
        # As of when it was read, not of when it was finished.
        frame=replace(
            frame("floor", team=name, live_url=f"/live/floor{query}", state_url=f"/floor/state{query}"),
            now=now,
        ),
        team=name,
        teams=_team_choices(teams, asked),
        asked=_asked_page(asked, titles, now),
        states=Counter(_state(agent)[0] for agent in seated),
        seats_hidden=max(0, len(seated) - SEATS_SHOWN),
        figures=figures_of(day, tasks, spent, now, day_from, until),
        needs=needs_now(facts, alerts_now(session), titles, now, helps),
        queue=queue_of(tasks, rules, names, receivers(session), now, groups),
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
        last_act=act_words(act, titles),
        last_act_href=f"/floor/queue/{act.subject}?from=floor" if act.act.startswith("tasks.") else None,
        dialing=dialing_panel(dialing, journeys),
        watch=_own_watch(own, agents) if own else None,
        own_of=frozenset(
            (*(str(watch.supervisor_id) for watch in watches), *((act.user_id,) if act.user_id else ()))
        ),
    )


def _team_choices(teams: Sequence[str], asked: Asked) -> tuple[page.TeamChoice, ...]:
    if len(teams) < 2:
        return ()
    found = [page.TeamChoice(gettext("All teams"), asked.href(team=None), asked.team is None)]
    found += [page.TeamChoice(one, asked.href(team=one), one == asked.team) for one in teams]
    return tuple(found)


def _asked_page(asked: Asked, titles: Mapping[str, str], now: datetime) -> page.AskedChoices:
    """Return the campaigns and days that may be chosen, and whether the queue's rows are grouped."""
    campaigns = [Choice(gettext("All campaigns"), asked.href(campaign=None), asked.campaign is None)]
    campaigns += [
        Choice(title, asked.href(campaign=key), key == asked.campaign)
        for key, title in sorted(titles.items(), key=lambda item: item[1])
    ]
    return page.AskedChoices(
        campaigns=tuple(campaigns),
        days=tuple(
            Choice(day_name(day_start(now, ago), now), asked.href(days_ago=ago), ago == asked.days_ago)
            for ago in DAYS
        ),
        is_today=asked.days_ago == 0,
        has_campaign=asked.campaign is not None,
        by_rule=asked.by_rule,
        group_href=asked.href(by_rule=not asked.by_rule),
    )


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
    """What the seat shows; a stuck offer since it was made."""
    since = agent.offered_at if agent.is_stuck and agent.offered_at else agent.work_state_at
    return state_shown(agent.presence, agent.presence_at, agent.work_state, since)


def _step(agent: AgentNow, journeys: Mapping[str, JourneyDefinition]) -> str | None:
    if agent.journey is None or agent.step is None:
        return None
    return step_words(journeys.get(agent.journey), agent.step, language())
