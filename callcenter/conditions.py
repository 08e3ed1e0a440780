"""What needs a supervisor as of now, from what the reports say: facts without words, by a key that stays."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session

from callcenter.dialing.policy import PacingPolicy
from callcenter.dialing.queries import OVERDIALED
from callcenter.dialing.rules import budget_left
from callcenter.domain.alerts import SHARED, Thresholds, steps_of, thresholds_of
from callcenter.domain.enums import Presence, WorkState
from callcenter.domain.journey import JourneyDefinition
from callcenter.domain.surges import SurgeKind
from callcenter.journeys.queries import journeys_loaded
from callcenter.reporting.alarms import Alarm, alarms_open
from callcenter.reporting.dialing import CampaignNow, DialingNow, dialing_now
from callcenter.reporting.floor import AgentNow, WaitingTasks, agents_now, tasks_waiting
from callcenter.reporting.surges import SurgeNow, surges_open
from callcenter.reporting.thresholds import thresholds_set
from callcenter.routing.policy import SILENT_BROWSER

CEILING = PacingPolicy().ceiling
NEAR_BUDGET = 0.1
"""Share of the allowed abandoned calls left, under which a supervisor should look."""
ENOUGH_ANSWERS = 100
"""Live answers under which a single abandoned call swings the rate, so that it is only worth watching."""
STANDS_STILL_AFTER = timedelta(minutes=3)
"""Pacing says something at least every minute; longer silence means that nobody paces."""
_CARRIERS = ("incident", "attempt_unknown")


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that needs a person: `fact` is what it was seen in. `measure` tells how bad it is in its kind."""

    key: str
    kind: str
    subject: str
    tone: str
    since: datetime
    measure: int
    fact: AgentNow | WaitingTasks | Alarm | CampaignNow | SurgeNow


@dataclass(frozen=True, slots=True)
class FloorFacts:
    """What the floor's conditions are seen in."""

    tasks: WaitingTasks
    agents: Sequence[AgentNow]
    alarms: Sequence[Alarm]
    dialing: DialingNow
    thresholds: Mapping[str, Thresholds]
    surges: Sequence[SurgeNow] = ()
    journeys: Mapping[str, JourneyDefinition] = field(default_factory=dict)


def floor_facts(session: Session, now: datetime) -> FloorFacts:
    """Read what the floor's conditions are seen in."""
    journeys = journeys_loaded(session)
    return FloorFacts(
        tasks_waiting(session, now, SILENT_BROWSER),
        agents_now(session, now, SILENT_BROWSER),
        alarms_open(session, now),
        dialing_now(session, journeys, now, SILENT_BROWSER),
        thresholds_set(session),
        surges_open(session),
        journeys,
    )


def conditions_now(facts: FloorFacts, now: datetime) -> tuple[Condition, ...]:
    """Return everything that needs a person as of `now`; a customer whose agent's line dropped comes first."""
    found = [
        *(one for agent in facts.agents for one in _of_agent(agent, facts.thresholds, now)),
        *_promise(facts),
        *(_of_alarm(alarm) for alarm in facts.alarms),
        *_of_campaigns(facts.dialing, now),
        *(_of_surge(one) for one in facts.surges),
    ]
    return tuple(sorted(found, key=lambda it: (it.kind != "line", it.tone != "urgent", it.since, it.key)))


def _of_agent(agent: AgentNow, known: Mapping[str, Thresholds], now: datetime) -> Iterator[Condition]:
    limits, name = thresholds_of(known, agent.team), str(agent.id)

    def told(kind: str, tone: str, since: datetime) -> Condition:
        return Condition(f"{kind}-{name}", kind, name, tone, since, steps_of(now - since), agent)

    if agent.lost_at is not None:
        yield told("line", "urgent", agent.lost_at)
    if agent.is_stuck:
        yield told("stuck", "urgent", agent.offered_at or agent.work_state_at)
    until = agent.wrap_up_until
    if agent.work_state is WorkState.WRAPPING and until is not None and now - until > limits.wrap_up:
        yield told("wrap-up", "watch", until)
    is_away = agent.presence is Presence.NOT_READY and agent.work_state is WorkState.IDLE
    if is_away and limits.not_ready is not None and now - agent.presence_at > limits.not_ready:
        yield told("not-ready", "watch", agent.presence_at)
    is_talking = agent.work_state is WorkState.TALKING
    if is_talking and limits.talk is not None and now - agent.work_state_at > limits.talk:
        yield told("long-talk", "watch", agent.work_state_at)


def _promise(facts: FloorFacts) -> Iterator[Condition]:
    tasks, least = facts.tasks, thresholds_of(facts.thresholds, SHARED).overdue_tasks
    if tasks.overdue_at is None or tasks.overdue < least or not away_now(facts.agents):
        return
    yield Condition("promise", "promise", "", "watch", tasks.overdue_at, tasks.overdue, tasks)


def away_now(agents: Sequence[AgentNow]) -> int:
    """How many agents are not ready and do nothing."""
    return sum(one.presence is Presence.NOT_READY and one.work_state is WorkState.IDLE for one in agents)


def _of_alarm(alarm: Alarm) -> Condition:
    tone = "urgent" if alarm.kind == "incident" else "watch"
    key = f"{alarm.kind}-{alarm.what}".rstrip("-")
    return Condition(key, alarm.kind, alarm.what, tone, alarm.since, alarm.cases, alarm)


def _of_surge(one: SurgeNow) -> Condition:
    """A surge is worth a look, not an alarm; it is measured in tenths of what is usual."""
    here = one.count if one.kind is SurgeKind.TRAFFIC else one.count / one.of
    subject = f"{one.journey}/{one.step}/{one.kind.value}"
    measure = round(10 * here / one.usual) if one.usual else 100
    return Condition(f"surge-{subject}", "surge", subject, "watch", one.began_at, measure, one)


def _of_campaigns(dialing: DialingNow, now: datetime) -> Iterator[Condition]:
    for one in dialing.campaigns:
        tone, left = budget_tone(one, dialed_ahead=is_dialed_ahead(one, dialing))
        if tone != "plain":
            is_urgent = left < 0 and one.answers >= ENOUGH_ANSWERS
            since = one.last_abandoned_at or now
            how_bad = max(1, 1 - left)
            urgency = "urgent" if is_urgent else "watch"
            yield Condition(f"abandonment-{one.key}", "abandonment", one.key, urgency, since, how_bad, one)
        still = stands_still_since(one, dialing, now)
        if still is not None:
            yield Condition(f"still-{one.key}", "still", one.key, "watch", still, steps_of(now - still), one)


def is_dialed_ahead(campaign: CampaignNow, dialing: DialingNow) -> bool:
    """Whether calls are placed before they have an agent, so that pacing decides and the budget counts."""
    return dialing.automatic_allowed and campaign.mode in OVERDIALED


def budget_tone(campaign: CampaignNow, *, dialed_ahead: bool) -> tuple[str, int]:
    """Return how a campaign's budget of abandoned calls stands (plain, warn, bad), and the whole calls left."""
    left = budget_left(campaign.answers, campaign.abandoned, CEILING)
    allowed = left + campaign.abandoned
    is_near = dialed_ahead and allowed > 0 and left <= allowed * NEAR_BUDGET
    return "bad" if left < 0 else "warn" if is_near else "plain", left


def stands_still_since(campaign: CampaignNow, dialing: DialingNow, now: datetime) -> datetime | None:
    """Since when nothing is decided for a campaign that is dialed ahead; None while pacing speaks."""
    if not is_dialed_ahead(campaign, dialing):
        return None
    begun = [at for at in (campaign.changed_at, dialing.changed_at) if at is not None]
    last = [one.at for one in campaign.decisions[:1]]
    since = max([*begun, *last], default=now)
    return since if now - since > STANDS_STILL_AFTER else None
