"""What happened with one customer: their events, firings, calls and conversions, the latest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

SHOWN = 200

_STORY = text("""
(SELECT e.event_time AS at, 'event' AS kind, e.journey, e.step, e.role, coalesce(e.key, e.name) AS what,
        coalesce(e.properties ->> 'reason', e.properties ->> 'code') AS more
   FROM journey_event e WHERE e.customer_id = :id ORDER BY e.event_time DESC, e.id DESC LIMIT :shown)
UNION ALL
(SELECT f.fired_at, 'firing', f.journey, f.step, f.fate, f.rule_key, f.suppress_reason
   FROM trigger_firing f WHERE f.customer_id = :id ORDER BY f.fired_at DESC LIMIT :shown)
UNION ALL
(SELECT a.claimed_at, 'call', f.journey, f.step, a.result, coalesce(a.script_id, ''), d.kind_code
   FROM contact_attempt a JOIN trigger_firing f ON f.id = a.firing_id
   LEFT JOIN disposition d ON d.attempt_id = a.id
  WHERE a.customer_id = :id ORDER BY a.claimed_at DESC LIMIT :shown)
UNION ALL
(SELECT o.converted_at, 'conversion', o.journey, o.converted_step, NULL, f.rule_key, NULL
   FROM trigger_firing f JOIN outcome o ON o.firing_id = f.id
  WHERE f.customer_id = :id AND o.converted_at IS NOT NULL ORDER BY o.converted_at DESC LIMIT :shown)
ORDER BY at DESC LIMIT :shown
""")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `kind`: event, firing, call or conversion.

    `what` is the event's key, the rule's key, or the script's id; `result` the event's role, the firing's fate
    or the call's result; `more` an error's reason, why a firing was suppressed, or the disposition's code.
    """

    at: datetime
    kind: str
    journey: str | None
    step: str | None
    result: str | None
    what: str
    more: str | None


def story_of(session: Session, customer_id: UUID) -> Sequence[Moment]:
    """List the newest moments of a customer."""
    rows = session.execute(_STORY, {"id": customer_id, "shown": SHOWN})
    return [Moment(row.at, row.kind, row.journey, row.step, row.role, row.what, row.more) for row in rows]
