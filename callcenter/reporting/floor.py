"""What the floor is doing now: the waiting call tasks with why nobody calls them, and the agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlmodel import Session

from callcenter.db import cursor_of
from callcenter.domain.enums import AttemptState, BarReason, Presence, SupervisorMode, TaskState, WorkState

LEASE_GRACE = timedelta(seconds=5)
"""How long after its lease an offer may stay open until the next tick ends it."""
UNSEEN_FOR = timedelta(seconds=10)
"""An open console shows an offer at once: one that none has shown for so long is looked at by nobody."""
SHOWN_ROWS = 200

_WAITING = """
WITH waiting AS (
    SELECT t.id, t.rule_key, t.state, t.promise_seconds, t.customer_id, t.agent_id, t.not_before_at,
           t.why_no_call ->> 0 AS why, t.language, t.skill, t.skill_level, t.team, r.why AS offer_why,
           greatest(t.created_at, t.not_before_at) AS since,
           t.state = 'pending' AND t.not_before_at <= :now AS is_callable,
           t.state = 'reserved' AND (r.expires_at IS NULL OR r.expires_at < :lease_over
                OR a.work_state = 'reserved' AND r.offered_at < :unseen_since
                OR a.seen_at IS NULL OR a.seen_at < :silent_since) AS is_stuck
      FROM call_task t
      LEFT JOIN reservation r ON r.call_task_id = t.id AND r.ended_at IS NULL
      LEFT JOIN agent a ON a.id = t.agent_id
     WHERE t.state IN ('pending', 'reserved') AND t.state NOT IN ('completed', 'canceled'){of}
)
"""
_OF_CAMPAIGN = " AND t.journey = :campaign"
_COUNTS = (
    _WAITING
    + """
SELECT state, is_callable, is_stuck, why, count(*) AS tasks, min(since) AS oldest_at,
       (array_agg(promise_seconds ORDER BY since))[1] AS oldest_promise,
       count(*) FILTER (WHERE since + make_interval(secs => 2 * promise_seconds) < :now) AS overdue,
       min(since + make_interval(secs => 2 * promise_seconds)) AS overdue_at
  FROM waiting GROUP BY state, is_callable, is_stuck, why
"""
)
_RULES = (
    _WAITING
    + """
SELECT rule_key, count(*) AS tasks, count(*) FILTER (WHERE is_callable) AS callable_now,
       min(since) FILTER (WHERE is_callable) AS oldest_at,
       (array_agg(promise_seconds ORDER BY since) FILTER (WHERE is_callable))[1] AS promise_seconds,
       count(*) FILTER (WHERE is_callable AND since + make_interval(secs => promise_seconds) < :now) AS late
  FROM waiting GROUP BY rule_key ORDER BY rule_key
"""
)
_ROWS = (
    _WAITING
    + """
SELECT w.*, c.name, c.external_id, c.city, c.time_zone, u.name AS agent_name
  FROM waiting w
  JOIN customer c ON c.id = w.customer_id
  LEFT JOIN app_user u ON u.id = w.agent_id AND w.state = 'reserved'
 ORDER BY w.state = 'pending' AND NOT w.is_callable,
          w.since + make_interval(secs => w.promise_seconds), w.id
 LIMIT :shown
"""
)
_AGENTS = """
SELECT a.id, u.name, a.team, a.not_ready_reason, a.presence_at, a.work_state_at, a.wrap_up_until, t.journey, t.step,
       r.why, lost.agent_lost_at, r.offered_at, a.seen_at, a.presence, a.work_state, r.expires_at, l.state
  FROM agent a
  JOIN app_user u ON u.id = a.id AND u.is_active
  LEFT JOIN call_task t ON t.id = a.call_task_id
  LEFT JOIN reservation r ON r.agent_id = a.id AND r.ended_at IS NULL
  LEFT JOIN agent_leg l ON l.agent_id = a.id
  LEFT JOIN (SELECT agent_id, min(agent_lost_at) AS agent_lost_at FROM contact_attempt
              WHERE state = 'bridged' AND state <> 'ended' GROUP BY agent_id) lost ON lost.agent_id = a.id
 ORDER BY u.name, a.id
"""
_WATCHES = text("""
SELECT w.id, w.supervisor_id, u.name AS supervisor, w.agent_id, a.name AS agent, w.mode, w.mode_wanted,
       w.asked_at, w.joined_at, w.end_asked_at IS NOT NULL AS is_leaving, w.ended_at IS NOT NULL AS has_failed
  FROM watch w
  JOIN app_user u ON u.id = w.supervisor_id
  JOIN app_user a ON a.id = w.agent_id
 WHERE w.ended_at IS NULL
    OR (w.ended_at > :failed_since AND w.joined_at IS NULL AND w.end_asked_at IS NULL)
 ORDER BY w.ended_at IS NULL DESC, w.asked_at DESC
""")
_LINE_UP = frozenset({AttemptState.ANSWERED, AttemptState.BRIDGED})
_FAILED_SHOWN = timedelta(seconds=60)
"""How long a supervisor is told that their own line did not come about."""
_HOLDS = frozenset(
    {*BarReason, "carrier_limit", "rule_paused", "nobody_suits", "transfer_asked", "handed_over"}
)


@dataclass(frozen=True, slots=True)
class WaitingTask:
    """A call task nobody has dialed yet.

    `code` says why no call (see `why_code`), `why` is the code on the task itself. `since` is from when
    it may be called; `agent` holds it while it is reserved, and `offer_why` says why. `language`, `skill` at
    `skill_level` and `team` are asked of its agent.
    """

    id: UUID
    rule_key: str
    code: str
    why: str | None
    is_callable: bool
    since: datetime
    promise_seconds: int
    customer: str | None
    city: str | None
    time_zone: str | None
    agent: str | None
    language: str = "en"
    skill: str | None = None
    skill_level: int = 1
    team: str | None = None
    offer_why: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class WaitingTasks:
    """All that wait, counted by why; `rows` are the first 200, oldest promise first.

    `pending` and `callable_now` leave out what an agent holds. `overdue` have waited callable for more
    than twice their promise, the first of them since `overdue_at`.
    """

    total: int = 0
    pending: int = 0
    callable_now: int = 0
    oldest_at: datetime | None = None
    oldest_promise_seconds: int | None = None
    overdue: int = 0
    overdue_at: datetime | None = None
    reasons: tuple[tuple[str, int], ...] = ()
    rows: tuple[WaitingTask, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleWaiting:
    """The waiting call tasks of one rule: how many, how many of them callable, and how many of those `late`.

    `oldest_at` and `promise_seconds` are of the callable one that has waited longest, None without one.
    """

    rule_key: str
    tasks: int
    callable_now: int
    oldest_at: datetime | None
    promise_seconds: int | None
    late: int


@dataclass(frozen=True, slots=True)
class AgentNow:
    """An agent as the floor sees them. `is_stuck` holds an offer that has run out or nobody looks at.

    `is_unseen`: no console has shown the offer of `offered_at` yet. `offer_why` says why they were offered the
    call task they look at. `line` is the call that keeps the agent in their room: up, connecting or down.
    `lost_at`: since when their customer waits because it dropped.
    """

    id: UUID
    name: str
    team: str
    not_ready_reason: str | None
    presence_at: datetime
    work_state_at: datetime
    wrap_up_until: datetime | None
    journey: str | None
    step: str | None
    offer_why: dict[str, Any] | None
    lost_at: datetime | None
    offered_at: datetime | None
    seen_at: datetime | None
    presence: Presence
    work_state: WorkState
    is_silent: bool
    is_stuck: bool
    line: str = "down"
    is_unseen: bool = False


@dataclass(frozen=True, slots=True)
class WatchNow:
    """A supervisor's part in an agent's calls: `mode` is what the carrier says, `mode_wanted` what they asked.

    `has_failed`: their own telephone was not reached, a moment ago.
    """

    id: UUID
    supervisor_id: UUID
    supervisor: str
    agent_id: UUID
    agent: str
    mode: SupervisorMode | None
    mode_wanted: SupervisorMode
    asked_at: datetime
    joined_at: datetime | None
    is_leaving: bool
    has_failed: bool


def why_code(state: str, why: str | None, *, is_callable: bool, is_stuck: bool) -> str:
    """Say why nobody calls a waiting task: stuck, reserved, a bar reason, no_agent or waits_by_rule.

    A task that may be called now lacks an agent, whatever held it up before.
    """
    if state == TaskState.RESERVED:
        return "stuck" if is_stuck else "reserved"
    if why in _HOLDS and (not is_callable or why not in set(BarReason)):
        return str(why)
    return "no_agent" if is_callable else "waits_by_rule"


def tasks_waiting(
    session: Session, now: datetime, silent_after: timedelta, campaign: str | None = None
) -> WaitingTasks:
    """Return the waiting call tasks as of `now`, in two queries; only those of a campaign where one is given.

    `silent_after` is how long an agent's console may be quiet before it counts as gone.
    """
    bounds = _bounds(now, silent_after, campaign)
    groups = session.execute(_of(_COUNTS, campaign), bounds).all()
    if not groups:
        return WaitingTasks()
    reasons: dict[str, int] = {}
    for group in groups:
        code = why_code(group.state, group.why, is_callable=group.is_callable, is_stuck=group.is_stuck)
        reasons[code] = reasons.get(code, 0) + group.tasks
    ready = [group for group in groups if group.is_callable]
    oldest = min(ready, key=lambda group: group.oldest_at, default=None)
    return WaitingTasks(
        total=sum(group.tasks for group in groups),
        pending=sum(group.tasks for group in groups if group.state == TaskState.PENDING),
        callable_now=sum(group.tasks for group in ready),
        oldest_at=oldest.oldest_at if oldest else None,
        oldest_promise_seconds=oldest.oldest_promise if oldest else None,
        overdue=sum(group.overdue for group in ready),
        overdue_at=min((group.overdue_at for group in ready if group.overdue), default=None),
        reasons=tuple(sorted(reasons.items(), key=lambda item: (item[0] == "stuck", -item[1], item[0]))),
        rows=_rows(session, bounds, campaign),
    )


def rules_waiting(
    session: Session, now: datetime, silent_after: timedelta, campaign: str | None = None
) -> tuple[RuleWaiting, ...]:
    """Return the same call tasks counted by rule, in one query."""
    rows = session.execute(_of(_RULES, campaign), _bounds(now, silent_after, campaign))
    return tuple(RuleWaiting(**row._asdict()) for row in rows)


def _of(statement: str, campaign: str | None) -> TextClause:
    return text(statement.replace("{of}", _OF_CAMPAIGN if campaign else ""))


def _bounds(now: datetime, silent_after: timedelta, campaign: str | None) -> dict[str, Any]:
    bounds = {
        "now": now,
        "lease_over": now - LEASE_GRACE,
        "unseen_since": now - UNSEEN_FOR,
        "silent_since": now - silent_after,
    }
    return bounds | ({"campaign": campaign} if campaign else {})


def _rows(session: Session, bounds: dict[str, Any], campaign: str | None) -> tuple[WaitingTask, ...]:
    return tuple(
        WaitingTask(
            id=row.id,
            rule_key=row.rule_key,
            code=why_code(row.state, row.why, is_callable=row.is_callable, is_stuck=row.is_stuck),
            why=row.why,
            is_callable=row.is_callable,
            since=row.since,
            promise_seconds=row.promise_seconds,
            customer=row.name or row.external_id,
            city=row.city,
            time_zone=row.time_zone,
            agent=row.agent_name,
            language=row.language,
            skill=row.skill,
            skill_level=row.skill_level,
            team=row.team,
            offer_why=row.offer_why,
        )
        for row in session.execute(_of(_ROWS, campaign), {**bounds, "shown": SHOWN_ROWS})
    )


def agents_now(session: Session, now: datetime, silent_after: timedelta) -> Sequence[AgentNow]:
    """List the product's agents by name, in one query."""
    return [_agent(row, now, silent_after) for row in cursor_of(session).execute(_AGENTS)]


def _agent(row: tuple[Any, ...], now: datetime, silent_after: timedelta) -> AgentNow:
    # Of a large floor this runs for thousands of rows at every change.
    *as_they_are, offered_at, seen_at, presence, work_state, expires_at, leg = row
    state = WorkState(work_state)
    is_silent = seen_at is None or seen_at < now - silent_after
    holds_offer = state in (WorkState.RESERVED, WorkState.PREVIEWING)
    lease_is_over = expires_at is None or expires_at < now - LEASE_GRACE
    is_unseen = state is WorkState.RESERVED and offered_at is not None and offered_at < now - UNSEEN_FOR
    return AgentNow(  # type: ignore[call-arg]  # how many there are before, only the statement knows
        *as_they_are,
        offered_at,
        seen_at,
        Presence(presence),
        state,
        is_silent,
        is_unseen or (holds_offer and (is_silent or lease_is_over)),
        _line(AttemptState(leg) if leg else AttemptState.ENDED),
        is_unseen,
    )


def _line(leg: AttemptState) -> str:
    if leg in _LINE_UP:
        return "up"
    return "down" if leg is AttemptState.ENDED else "connecting"


def watches_now(session: Session, now: datetime) -> Sequence[WatchNow]:
    """List who is on whose calls, the newest first; last come those whose line has just failed."""
    return [
        WatchNow(
            **{
                **row._asdict(),
                "mode": SupervisorMode(row.mode) if row.mode else None,
                "mode_wanted": SupervisorMode(row.mode_wanted),
            }
        )
        for row in session.execute(_WATCHES, {"failed_since": now - _FAILED_SHOWN})
    ]
