"""How campaigns are dialed, and the facts a pacing decision rests on. In-flight calls are counted from rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.dialing.forecast import BusyAgent
from callcenter.dialing.groups import InFlight, Kind, Seat
from callcenter.domain.enums import AUTOMATIC_MODES, DialingMode, Requirement, WorkState
from callcenter.domain.needs import Able, Need
from callcenter.models import Campaign, DialingSwitch, PacingDecision

OVERDIALED = frozenset({DialingMode.POWER, DialingMode.PREDICTIVE})
"""Modes in which a call is placed before it has an agent."""


def automatic_allowed(session: Session) -> bool:
    """Whether the one switch allows automatic dialing."""
    row = session.get(DialingSwitch, 1)
    return row is not None and row.automatic_allowed


def campaigns(session: Session) -> Mapping[str, Campaign]:
    """Return the campaigns somebody has set, by journey."""
    return {row.key: row for row in session.exec(select(Campaign).order_by(col(Campaign.key)))}


def mode_of(session: Session, campaign: str) -> DialingMode:
    """Return how a campaign is dialed now: an automatic mode counts only while the switch allows it."""
    row = session.get(Campaign, campaign)
    if row is None:
        return DialingMode.PREVIEW
    mode = DialingMode(row.mode)
    if mode in AUTOMATIC_MODES and not automatic_allowed(session):
        return DialingMode.PREVIEW
    return mode


def drops_machines(session: Session, campaign: str) -> bool:
    """Whether a campaign's calls that a machine picked up end before they have an agent."""
    row = session.get(Campaign, campaign)
    return row is not None and row.drops_machines


def modes_in_force(session: Session) -> frozenset[DialingMode]:
    """Name the modes in which campaigns are dialed now; campaigns nobody has set are previewed."""
    return frozenset({mode_of(session, key) for key in campaigns(session)}) or frozenset(
        {DialingMode.PREVIEW}
    )


def campaigns_not_offered(session: Session) -> frozenset[str]:
    """Name the campaigns whose tasks no agent is offered: they are dialed ahead, or agents choose themselves."""
    asked = OVERDIALED | {DialingMode.MANUAL}
    if not automatic_allowed(session):
        asked = frozenset({DialingMode.MANUAL})
    return frozenset(session.exec(select(Campaign.key).where(col(Campaign.mode).in_(asked))))


def campaigns_to_pace(session: Session) -> list[str]:
    """Name the campaigns in which the pacing rule places calls now."""
    if not automatic_allowed(session):
        return []
    return sorted(session.exec(select(Campaign.key).where(col(Campaign.mode).in_(OVERDIALED))))


# Who is idle and whose line is down is not signed on for automatic calls.
_SEATS = text("""
SELECT g.work_state, extract(epoch FROM :now - g.work_state_at)::float8 AS seconds, g.languages, g.skills, g.team
  FROM agent g LEFT JOIN agent_leg l ON l.agent_id = g.id AND l.state IN ('answered', 'bridged')
 WHERE g.presence = 'available' AND g.seen_at > :looked_at AND (g.work_state <> 'idle' OR l.agent_id IS NOT NULL)
 ORDER BY g.id
""")
_IN_FLIGHT = text("""
SELECT a.id, a.answered_at IS NOT NULL AS answered,
       extract(epoch FROM :now - COALESCE(a.placing_at, a.claimed_at))::float8 AS seconds,
       t.language, t.skill, t.skill_level, t.team, t.relaxed
  FROM contact_attempt a JOIN call_task t ON t.id = a.call_task_id
 WHERE a.state <> 'ended' AND a.agent_id IS NULL AND a.cancel_asked_at IS NULL AND a.campaign = :campaign
 ORDER BY a.claimed_at DESC
""")
_UNPLACED = text("SELECT count(*) FROM contact_attempt WHERE state = 'claimed' AND state <> 'ended'")
_LIVE = text("""
SELECT count(*) AS answers, count(*) FILTER (WHERE result = 'abandoned') AS abandoned
  FROM contact_attempt
 WHERE campaign = :campaign AND answered_at > :since
   AND (answered_by IS NULL OR answered_by IN ('human', 'unknown'))
""")
_RECENT = text("""
SELECT extract(epoch FROM answered_at - COALESCE(placing_at, claimed_at))::float8 AS rang,
       extract(epoch FROM ended_at - COALESCE(placing_at, claimed_at))::float8 AS lasted,
       talk_seconds, answered_by
  FROM contact_attempt
 WHERE campaign = :campaign AND state = 'ended' AND result NOT IN ('rejected', 'not_placed', 'canceled')
   AND claimed_at > :since
 ORDER BY claimed_at DESC LIMIT 400
""")
_WRAP = text("""
SELECT d.wrap_up_seconds FROM disposition d WHERE d.at > :since ORDER BY d.at DESC LIMIT 200
""")


@dataclass(frozen=True, slots=True)
class Floor:
    """What the pacing rule must know of agents, calls in flight and the budget; times in seconds."""

    seats: tuple[Seat, ...]
    flight: tuple[InFlight, ...]
    ringing: tuple[tuple[Any, float], ...]
    answered_waiting: int
    answers_30d: int
    abandoned_30d: int
    answers_today: int
    abandoned_today: int
    rang: tuple[float, ...]
    unanswered: tuple[float, ...]
    talked: tuple[float, ...]
    wrapped: tuple[float, ...]

    @property
    def agents(self) -> int:
        """Agents signed on for automatic calls."""
        return len(self.seats)

    @property
    def ready(self) -> int:
        """Agents who wait for a call, their line up."""
        return sum(one.is_ready for one in self.seats)

    @property
    def busy(self) -> tuple[BusyAgent, ...]:
        """Those whom a forecast of when they are free again knows."""
        return tuple(one.busy for one in self.seats if one.busy is not None)


def floor_of(session: Session, campaign: str, now: datetime, looked_within: timedelta) -> Floor:
    """Read what pacing rests on, in a handful of indexed queries."""
    looked_at = now - looked_within
    asked = {"now": now, "looked_at": looked_at, "campaign": campaign}
    flight = session.execute(_IN_FLIGHT, asked).all()
    month = session.execute(_LIVE, {"campaign": campaign, "since": now - timedelta(days=30)}).one()
    today = session.execute(_LIVE, {"campaign": campaign, "since": now - timedelta(hours=24)}).one()
    recent = session.execute(_RECENT, {"campaign": campaign, "since": now - timedelta(hours=8)}).all()
    human = [row for row in recent if row.rang is not None and row.answered_by not in ("machine", "fax")]
    return Floor(
        seats=tuple(_seat(row) for row in session.execute(_SEATS, asked)),
        flight=tuple(
            InFlight(
                Kind(
                    Need(row.language, row.skill, row.skill_level, row.team),
                    frozenset(Requirement(one) for one in row.relaxed),
                ),
                None if row.answered else row.seconds,
            )
            for row in flight
        ),
        ringing=tuple((row.id, row.seconds) for row in flight if not row.answered),
        answered_waiting=sum(row.answered for row in flight),
        answers_30d=month.answers,
        abandoned_30d=month.abandoned,
        answers_today=today.answers,
        abandoned_today=today.abandoned,
        rang=tuple(row.rang for row in human),
        unanswered=tuple(row.lasted for row in recent if row.rang is None and row.lasted is not None),
        talked=tuple(float(row.talk_seconds) for row in human if row.talk_seconds),
        wrapped=tuple(
            float(row.wrap_up_seconds) for row in session.execute(_WRAP, {"since": now - timedelta(hours=8)})
        ),
    )


_BUSY_IN = {WorkState.TALKING: "talking_seconds", WorkState.WRAPPING: "wrapping_seconds"}


def _seat(row: Any) -> Seat:
    able = Able(frozenset(row.languages.split(",")), row.skills, row.team)
    known = _BUSY_IN.get(WorkState(row.work_state))
    busy = BusyAgent(**{known: row.seconds}) if known else None
    return Seat(able, row.work_state == WorkState.IDLE, busy)


def calls_unplaced(session: Session) -> int:
    """Count the calls, of whatever campaign, that were claimed and that nobody has asked the carrier for yet."""
    return int(session.execute(_UNPLACED).scalar_one())


def last_decision(session: Session, campaign: str) -> PacingDecision | None:
    """Return the newest pacing decision of a campaign; None before the first."""
    return session.exec(
        select(PacingDecision)
        .where(PacingDecision.campaign == campaign)
        .order_by(col(PacingDecision.at).desc(), col(PacingDecision.id).desc())
        .limit(1)
    ).first()
