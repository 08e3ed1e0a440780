"""Ghost tasks: the call tasks that held-out firings would have become, looked at when they would have been called.

So both arms of a rule pass the same later check: who came back by themselves before the call is known of the
held out too.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.models import GhostTask, TriggerFiring

LATELY = timedelta(days=28)
# A second try moves `not_before_at` past the first call, which is then not what it waited for.
_USUAL_WAIT = """
SELECT percentile_cont(0.5) WITHIN GROUP (
           ORDER BY extract(epoch FROM first.at - CASE WHEN t.not_before_at <= first.at
                                                       THEN greatest(t.created_at, t.not_before_at)
                                                       ELSE t.created_at END))
  FROM (SELECT firing_id, created_at, not_before_at FROM call_task
         WHERE rule_key = %(rule)s AND attempts > 0 AND created_at > %(since)s
         ORDER BY created_at DESC LIMIT 200) t
  JOIN LATERAL (SELECT min(claimed_at) AS at FROM contact_attempt WHERE firing_id = t.firing_id) first ON true
"""


def open_ghost(session: Session, firing: TriggerFiring, promise: timedelta, not_before_at: datetime) -> None:
    """Note when a held-out firing would have been called: as long after it might be as its rule's others were.

    `promise` is taken as long as none of them has been called lately.
    """
    asked = {"rule": firing.rule_key, "since": firing.fired_at - LATELY}
    row = cursor_of(session).execute(_USUAL_WAIT, asked).fetchone()
    usual = promise if row is None or row[0] is None else timedelta(seconds=max(0.0, float(row[0])))
    session.add(GhostTask(firing_id=firing.id, rule_key=firing.rule_key, look_at=not_before_at + usual))


def ghosts_due(session: Session, now: datetime, limit: int) -> Sequence[GhostTask]:
    """Claim ghost tasks that would be called by now."""
    return session.exec(
        select(GhostTask)
        .where(col(GhostTask.looked_at).is_(None))
        .where(col(GhostTask.look_at) <= now)
        .order_by(col(GhostTask.look_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def settle(ghost: GhostTask, *, was_there: bool, now: datetime) -> None:
    """Write down what was found; looked at once, never again."""
    ghost.looked_at, ghost.was_there = now, was_there
