"""What has gone wrong and waits for a person: one query, grouped, so that a flood stays one line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

UNKNOWN_FOR = timedelta(minutes=2)
"""How long an attempt may stay unknown before a person should know; the reconciler looks after 30 s."""
TRIES_TOLD = 3
"""Failed decisions of a firing after which a person should look; after five nobody tries any more."""
FAILED_WITHIN = timedelta(days=1)
NEWEST_MESSAGES = 50_000
"""How far back the search for failed messages goes; the outbox keeps what is done."""

_ALARMS = text("""
SELECT 'incident' AS kind, i.kind AS what, count(*) AS cases, min(i.at) AS since
  FROM incident i WHERE i.resolved_at IS NULL GROUP BY i.kind
UNION ALL
SELECT 'outbox_failed', m.kind, count(*), min(m.failed_at)
  FROM outbox_message m
 WHERE m.id > (SELECT coalesce(max(id), 0) - :newest FROM outbox_message) AND m.failed_at >= :failed_since
 GROUP BY m.kind
UNION ALL
SELECT 'undecided', f.rule_key, count(*), min(f.fired_at)
  FROM trigger_firing f WHERE f.fate IS NULL AND f.tries >= :tries GROUP BY f.rule_key
UNION ALL
SELECT 'attempt_unknown', '', count(*), min(coalesce(a.placing_at, a.claimed_at))
  FROM contact_attempt a
 WHERE a.state = 'unknown' AND a.state <> 'ended' AND coalesce(a.placing_at, a.claimed_at) < :unknown_since
HAVING count(*) > 0
""")
ACTS = (
    "agent.freed",
    "agent.set",
    "watch.begun",
    "watch.changed",
    "watch.left",
    "campaign.set",
    "campaign.paused",
    "campaign.resumed",
    "campaign.hours",
    "dialing.allowed",
    "dialing.stopped",
    "tasks.assigned",
    "tasks.expired",
    "tasks.brought_back",
    "tasks.restored",
)
"""What a supervisor does on the floor, as the audit trail names it."""

_LAST = text("""
SELECT greatest(
         (SELECT max(at) FROM incident WHERE at >= :day),
         (SELECT max(e.at) FROM audit_entry e WHERE e.at >= :day AND e.act = 'agent.freed')) AS alert_at,
       e.at, e.act, e.subject, e.mode, e.changed, e.user_id, e.by_name, e.agent_name
  FROM (SELECT 1) one
  LEFT JOIN LATERAL (
       SELECT e.at, e.act, e.subject, e.detail ->> 'mode' AS mode, e.detail ->> 'changed' AS changed,
              e.user_id::text AS user_id,
              b.name AS by_name, a.name AS agent_name
         FROM audit_entry e
         LEFT JOIN app_user b ON b.id = e.user_id
         LEFT JOIN app_user a ON a.id::text = e.subject
        WHERE e.at >= :day AND e.act = ANY(:acts)
        ORDER BY e.at DESC, e.id DESC LIMIT 1) e ON true
""")


@dataclass(frozen=True, slots=True)
class Alarm:
    """Cases of a kind (incident, outbox_failed, undecided or attempt_unknown); `what` names which."""

    kind: str
    what: str
    cases: int
    since: datetime


@dataclass(frozen=True, slots=True)
class LastAct:
    """The newest act of a supervisor today, and when something last needed a person today.

    `act` is one of ACTS; `subject` the campaign of campaign.set, `agent_name` whom the others concern,
    `changed` how many call tasks.
    """

    alert_at: datetime | None = None
    at: datetime | None = None
    act: str = ""
    subject: str = ""
    mode: str | None = None
    user_id: str | None = None
    by_name: str | None = None
    agent_name: str | None = None
    changed: int | None = None


def alarms_open(session: Session, now: datetime) -> Sequence[Alarm]:
    """List what waits for a person as of `now`."""
    bounds = {
        "newest": NEWEST_MESSAGES,
        "failed_since": now - FAILED_WITHIN,
        "tries": TRIES_TOLD,
        "unknown_since": now - UNKNOWN_FOR,
    }
    return [Alarm(row.kind, row.what, row.cases, row.since) for row in session.execute(_ALARMS, bounds)]


def last_act(session: Session, day_from: datetime) -> LastAct:
    """Return the last act of a supervisor since `day_from`."""
    row = session.execute(_LAST, {"day": day_from, "acts": list(ACTS)}).one()
    return LastAct(
        row.alert_at,
        row.at,
        row.act or "",
        row.subject or "",
        row.mode,
        row.user_id,
        row.by_name,
        row.agent_name,
        int(row.changed) if row.changed else None,
    )
