"""How each campaign is dialed: the switch, agents signed on, calls in flight, the budget, what pacing decided.

Counts as the pacing rule counts, for all campaigns at once, in four queries.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from callcenter.domain.enums import DialingMode

BUDGET_DAYS = 30
SHOWN_DECISIONS = 20

_SWITCH = text("""
SELECT s.automatic_allowed, s.changed_at, u.name AS changed_by
  FROM dialing_switch s LEFT JOIN app_user u ON u.id = s.changed_by
 WHERE s.id = 1
""")
_AGENTS = text("""
SELECT count(*) FILTER (WHERE g.work_state = 'idle' AND l.agent_id IS NOT NULL) AS ready,
       count(*) FILTER (WHERE g.work_state <> 'idle') AS busy
  FROM agent g LEFT JOIN agent_leg l ON l.agent_id = g.id AND l.state IN ('answered', 'bridged')
 WHERE g.presence = 'available' AND g.seen_at > :looked_at
""")
_CAMPAIGNS = text("""
SELECT k.key, c.mode, c.lines_per_agent, c.drops_machines, c.paused_at, c.hours, c.changed_at, u.name AS changed_by,
       flight.ringing, flight.waiting, live.answers, live.abandoned, live.last_abandoned_at
  FROM unnest(CAST(:keys AS text[])) AS k (key)
  LEFT JOIN campaign c ON c.key = k.key
  LEFT JOIN app_user u ON u.id = c.changed_by
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE a.answered_at IS NULL) AS ringing,
              count(*) FILTER (WHERE a.answered_at IS NOT NULL) AS waiting
         FROM contact_attempt a
        WHERE a.state <> 'ended' AND a.agent_id IS NULL AND a.cancel_asked_at IS NULL
          AND a.campaign = k.key) flight
 CROSS JOIN LATERAL (
       SELECT count(*) AS answers, count(*) FILTER (WHERE a.result = 'abandoned') AS abandoned,
              max(a.ended_at) FILTER (WHERE a.result = 'abandoned') AS last_abandoned_at
         FROM contact_attempt a
        WHERE a.campaign = k.key AND a.answered_at > :since
          AND (a.answered_by IS NULL OR a.answered_by IN ('human', 'unknown'))) live
""")
_DECISIONS = text("""
SELECT k.key, d.at, d.mode, d.dialed, d.canceled, d.reason, d.figures, d.sentence
  FROM unnest(CAST(:keys AS text[])) AS k (key)
 CROSS JOIN LATERAL (
       SELECT p.* FROM pacing_decision p WHERE p.campaign = k.key
        ORDER BY p.at DESC, p.id DESC LIMIT :shown) d
 ORDER BY k.key, d.at DESC, d.id DESC
""")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pacing tick decided: `figures` hold what the sentence names, `dialed` what was then placed."""

    at: datetime
    mode: DialingMode
    dialed: int
    canceled: int
    reason: str
    figures: Mapping[str, Any]
    sentence: str


@dataclass(frozen=True, slots=True)
class CampaignNow:
    """One campaign. `mode` is what is set; nobody has set it while `changed_at` is None. `hours` are its own.

    `ringing` calls have no agent yet, `waiting` customers have picked up and have none. `answers` and
    `abandoned` are of the last 30 days, answers of machines left out. `decisions` are newest first.
    """

    key: str
    mode: DialingMode = DialingMode.PREVIEW
    lines_per_agent: float = 1.0
    drops_machines: bool = False
    paused_at: datetime | None = None
    hours: tuple[str, ...] = ()
    changed_at: datetime | None = None
    changed_by: str | None = None
    ringing: int = 0
    waiting: int = 0
    answers: int = 0
    abandoned: int = 0
    last_abandoned_at: datetime | None = None
    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True, slots=True)
class DialingNow:
    """The one switch with who moved it last (nobody yet: None), the agents of all campaigns, the campaigns."""

    automatic_allowed: bool
    changed_at: datetime | None
    changed_by: str | None
    ready: int
    signed_on: int
    campaigns: tuple[CampaignNow, ...] = ()


def dialing_now(
    session: Session, keys: Collection[str], now: datetime, looked_within: timedelta
) -> DialingNow:
    """Return how these campaigns are dialed as of `now`; agents whose console is silent longer do not count."""
    switch = session.execute(_SWITCH).one_or_none()
    agents = session.execute(_AGENTS, {"looked_at": now - looked_within}).one()
    asked = {"keys": list(keys), "since": now - timedelta(days=BUDGET_DAYS)}
    decisions: dict[str, list[Decision]] = {}
    for row in session.execute(_DECISIONS, {"keys": list(keys), "shown": SHOWN_DECISIONS}):
        decisions.setdefault(row.key, []).append(
            Decision(
                row.at,
                DialingMode(row.mode),
                row.dialed,
                row.canceled,
                row.reason,
                row.figures,
                row.sentence,
            )
        )
    return DialingNow(
        automatic_allowed=switch is not None and switch.automatic_allowed,
        changed_at=switch.changed_at if switch is not None and switch.changed_by else None,
        changed_by=switch.changed_by if switch is not None else None,
        ready=agents.ready,
        signed_on=agents.ready + agents.busy,
        campaigns=tuple(
            _campaign(row, tuple(decisions.get(row.key, ()))) for row in session.execute(_CAMPAIGNS, asked)
        ),
    )


def _campaign(row: "object", decisions: tuple[Decision, ...]) -> CampaignNow:
    values = row._asdict()  # type: ignore[attr-defined]
    if values["changed_at"] is None:
        for unset in ("mode", "lines_per_agent", "drops_machines", "hours"):
            del values[unset]
    else:
        values["hours"] = tuple(values["hours"])
        values["mode"] = DialingMode(values["mode"])
    return CampaignNow(**values, decisions=decisions)
