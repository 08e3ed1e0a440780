"""Forget what agents did long ago."""

from datetime import datetime

from sqlmodel import Session

from callcenter.db import cursor_of

# The newest state from before stays: it says what the agent did as the kept time begins.
_FORGET = """
DELETE FROM agent_state s USING (
  SELECT o.id FROM agent_state o
   WHERE o.at < %(before)s
     AND EXISTS (SELECT FROM agent_state l
                  WHERE l.agent_id = o.agent_id AND l.at < %(before)s AND (l.at, l.id) > (o.at, o.id))
   ORDER BY o.at, o.id LIMIT %(limit)s) old
 WHERE s.id = old.id
"""


def forget_states(session: Session, before: datetime, limit: int) -> int:
    """Remove a portion of agents' states of before a moment, each one's last but kept; return how many."""
    return cursor_of(session).execute(_FORGET, {"before": before, "limit": limit}).rowcount
