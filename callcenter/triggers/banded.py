"""Visits by which the waits of a band are judged: kept as they enter it, settled when their window is over."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.models import BandedVisit, TriggerRule
from callcenter.triggers.band_queries import VISITS_OF_VERSION

SETTLED_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class BandEntry:
    """A visit at the moment the shortest wait of its rule's band ran out; see the table."""

    rule_id: UUID
    rule_key: str
    visit_id: UUID
    customer_id: UUID
    at: datetime
    until_at: datetime
    wait_seconds: float
    probability: float
    errors: int
    minutes: float


_STORE = """
INSERT INTO banded_visit (rule_id, rule_key, visit_id, customer_id, at, until_at, wait_seconds, probability, errors,
                          minutes)
SELECT * FROM unnest(%(rule_id)b::uuid[], %(rule_key)b::text[], %(visit_id)b::uuid[], %(customer_id)b::uuid[],
                     %(at)b::timestamptz[], %(until_at)b::timestamptz[], %(wait_seconds)b::float8[],
                     %(probability)b::float8[], %(errors)b::int[], %(minutes)b::float8[])
ON CONFLICT DO NOTHING
"""


def store_entries(session: Session, entries: Sequence[BandEntry]) -> None:
    """Keep visits that entered a band; of a visit that does so again only the first time counts."""
    if entries:
        rows = [asdict(one) for one in entries]
        columns = {one.name: [row[one.name] for row in rows] for one in fields(BandEntry)}
        cursor_of(session).execute(_STORE, columns)


_SETTLE = text("""
UPDATE banded_visit b SET settled_at = :now, converted = s.converted, agent_seconds = s.seconds
  FROM (SELECT b.rule_id, b.visit_id,
               EXISTS (SELECT FROM journey_event e
                        WHERE e.customer_id = b.customer_id AND e.journey = v.journey
                          AND e.journey_key = v.journey_key AND e.event_time > b.at
                          AND e.event_time <= b.until_at AND e.role <> 'exit'
                          AND e.step = ANY(CAST(:reached AS text[]))) AS converted,
               (SELECT coalesce(sum(coalesce(a.talk_seconds, 0) + coalesce(d.wrap_up_seconds, 0)), 0)
                  FROM trigger_firing f JOIN contact_attempt a ON a.firing_id = f.id
                  LEFT JOIN disposition d ON d.attempt_id = a.id
                 WHERE f.visit_id = b.visit_id AND f.rule_key = b.rule_key) AS seconds
          FROM banded_visit b JOIN visit v ON v.id = b.visit_id
         WHERE b.rule_id = :rule_id AND b.settled_at IS NULL AND b.until_at <= :now
         ORDER BY b.until_at LIMIT :limit FOR UPDATE OF b SKIP LOCKED) s
 WHERE b.rule_id = s.rule_id AND b.visit_id = s.visit_id
""")


def settle_entries(session: Session, reached: Mapping[UUID, Sequence[str]], now: datetime) -> int:
    """Fill in what came of the visits whose window is over: converted or not, and the agents' seconds.

    `reached` gives, for each version, the steps whose reaching counts as converted. Returns how many.
    """
    settled = 0
    for rule_id, steps in reached.items():
        facts = {"rule_id": rule_id, "reached": list(steps), "now": now, "limit": SETTLED_AT_ONCE}
        while True:
            found = session.execute(_SETTLE, facts).rowcount  # type: ignore[attr-defined]
            settled += found
            if found < SETTLED_AT_ONCE:
                break
    return settled


_OF_VERSION = text(
    "SELECT b.customer_id, b.at, b.wait_seconds, b.probability, b.errors, b.minutes, b.converted, b.agent_seconds"
    + VISITS_OF_VERSION
    + "AND b.settled_at IS NOT NULL ORDER BY b.at, b.visit_id"
)


@dataclass(frozen=True, slots=True)
class SettledVisit:
    """A visit whose window is over: what it drew, what was known when it entered, and what came of it."""

    customer_id: UUID
    at: datetime
    wait_seconds: float
    probability: float
    errors: int
    minutes: float
    converted: bool
    agent_seconds: int


def settled_visits(session: Session, rule_id: UUID) -> list[SettledVisit]:
    """Return the settled visits of a version, the earliest first; those that began under another are left out."""
    return [SettledVisit(*row) for row in session.execute(_OF_VERSION, {"rule_id": rule_id})]


def versions_to_settle(session: Session, now: datetime) -> Sequence[TriggerRule]:
    """Return the versions that have visits whose window is over and of which nothing is known yet."""
    due = (
        select(BandedVisit.rule_id)
        .where(col(BandedVisit.settled_at).is_(None))
        .where(BandedVisit.until_at <= now)
        .distinct()
    )
    return session.exec(
        select(TriggerRule).where(col(TriggerRule.id).in_(due)).order_by(col(TriggerRule.rule_key))
    ).all()


# What a version in force, or on trial, is judged by stays however old it is.
_FORGET = """
DELETE FROM banded_visit b USING (
  SELECT o.rule_id, o.visit_id FROM banded_visit o JOIN trigger_rule r ON r.id = o.rule_id
   WHERE o.settled_at IS NOT NULL AND o.until_at < %(before)s AND r.state = 'retired'
   LIMIT %(limit)s) old
 WHERE b.rule_id = old.rule_id AND b.visit_id = old.visit_id
"""


def forget_entries(session: Session, before: datetime, limit: int) -> int:
    """Remove a portion of what retired versions were judged by, settled before a moment; return how many."""
    return cursor_of(session).execute(_FORGET, {"before": before, "limit": limit}).rowcount
