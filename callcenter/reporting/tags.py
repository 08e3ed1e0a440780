"""What agents said of attempts beside what telephone and events know; read only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

from callcenter.domain.quality import TagFacts

_FACTS = """
SELECT d.attempt_id, d.agent_id, d.at, d.kind_code, d.counts_as, d.note, d.wrap_up_seconds,
       k.reached, k.converted, k.do_not_call,
       CASE WHEN a.bridged_at IS NULL THEN 0 ELSE coalesce(a.talk_seconds, 0) END AS talk_seconds,
       a.bridged_at, a.answered_at, a.claimed_at, a.ended_at, a.answered_by, a.result, a.customer_id,
       o.firing_id IS NOT NULL AS is_watched, o.converted_at, o.window_until
  FROM disposition d
  JOIN disposition_kind k ON k.code = d.counts_as
  JOIN contact_attempt a ON a.id = d.attempt_id
  LEFT JOIN outcome o ON o.firing_id = a.firing_id
"""
_ONE = text(_FACTS + " WHERE d.attempt_id = :attempt")
# Of most tags nothing can speak against them; those the rule need not see are left out.
_SUSPECT = text(
    _FACTS
    + """
 WHERE d.at >= :since AND d.at <= :until AND a.ended_at IS NOT NULL
   AND (k.converted AND o.firing_id IS NOT NULL AND (o.converted_at IS NULL)
        OR k.reached AND coalesce(a.talk_seconds, 0) < 20
        OR NOT k.reached AND a.bridged_at IS NOT NULL
        OR NOT k.do_not_call AND d.note <> '')
   AND NOT EXISTS (SELECT FROM disposition_check c WHERE c.attempt_id = d.attempt_id)
 ORDER BY d.at DESC LIMIT :limit
"""
)
_REVIEWABLE = text(
    _FACTS
    + """
 WHERE d.at >= :since AND d.at <= :until AND a.bridged_at IS NOT NULL AND a.ended_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM review r WHERE r.attempt_id = d.attempt_id)
"""
)
_COMPLAINED = text("""
SELECT DISTINCT customer_id FROM suppression WHERE kind = 'complaint' AND created_at >= :since
""")
_TAGGED = text("""
SELECT agent_id, count(*) AS tags FROM disposition WHERE at >= :since AND at <= :until GROUP BY agent_id
""")
_CHECKED = text("""
SELECT c.agent_id, count(*) AS checked, count(*) FILTER (WHERE d.corrected_code IS NULL) AS upheld
  FROM (SELECT DISTINCT attempt_id, agent_id FROM disposition_check) c
  JOIN disposition d ON d.attempt_id = c.attempt_id
 WHERE d.at >= :since AND d.at <= :until GROUP BY c.agent_id
""")
_CHECKS = text("""
SELECT c.id, c.attempt_id, c.agent_id, c.said_code, c.found_code, c.evidence, c.reason, c.checked_at, u.name AS by
  FROM disposition_check c JOIN app_user u ON u.id = c.checked_by
 WHERE c.checked_at >= :since ORDER BY c.id DESC LIMIT :limit
""")
MOST_LOOKED_AT = 5_000


@dataclass(frozen=True, slots=True)
class TagSeen:
    """A tag with what is known of its attempt. `said` is the agent's word, `counts_as` what counts of it."""

    facts: TagFacts
    said: str
    counts_as: str
    called_at: datetime
    customer_id: UUID
    result: str | None
    answered_by: str | None


def tag_of(session: Session, attempt_id: UUID) -> TagFacts | None:
    """Return what is known of the tag of one attempt; None when it has none."""
    row = session.execute(_ONE, {"attempt": attempt_id}).first()
    return _facts(row) if row else None


def tags_suspect(session: Session, since: datetime, until: datetime) -> list[TagSeen]:
    """List tags of a period that evidence may speak against and nobody has checked, the latest first."""
    asked = {"since": since, "until": until, "limit": MOST_LOOKED_AT}
    return [_seen(row) for row in session.execute(_SUSPECT, asked)]


def tags_reviewable(session: Session, since: datetime, until: datetime) -> list[TagSeen]:
    """List the tagged talks of a period that nobody has reviewed."""
    return [_seen(row) for row in session.execute(_REVIEWABLE, {"since": since, "until": until})]


def customers_complaining(session: Session, since: datetime) -> frozenset[UUID]:
    """Return the customers whose complaint was taken down since a moment."""
    return frozenset(row.customer_id for row in session.execute(_COMPLAINED, {"since": since}))


def _facts(row: Row[Any]) -> TagFacts:
    return TagFacts(
        attempt_id=row.attempt_id,
        agent_id=row.agent_id,
        tagged_at=row.at,
        reached=row.reached,
        converted=row.converted,
        do_not_call=row.do_not_call,
        talk_seconds=row.talk_seconds,
        heard_human=row.answered_by == "human",
        heard_machine=row.answered_by in ("machine", "fax") or row.result == "machine",
        conversion_seen=row.converted_at is not None if row.is_watched else None,
        watched_until=row.window_until,
        note=row.note,
        wrap_up_seconds=row.wrap_up_seconds,
    )


def _seen(row: Row[Any]) -> TagSeen:
    return TagSeen(
        _facts(row),
        row.kind_code,
        row.counts_as,
        row.claimed_at,
        row.customer_id,
        row.result,
        row.answered_by,
    )


@dataclass(frozen=True, slots=True)
class TagCounts:
    """Tags of an agent in a period; of those that were checked, how many stand."""

    tags: int = 0
    checked: int = 0
    upheld: int = 0


def tag_counts(session: Session, since: datetime, until: datetime) -> Mapping[UUID, TagCounts]:
    """Count each agent's tags of a period, and those checked and upheld."""
    bounds = {"since": since, "until": until}
    checked = {row.agent_id: row for row in session.execute(_CHECKED, bounds)}
    return {
        row.agent_id: TagCounts(
            row.tags,
            checked[row.agent_id].checked if row.agent_id in checked else 0,
            checked[row.agent_id].upheld if row.agent_id in checked else 0,
        )
        for row in session.execute(_TAGGED, bounds)
    }


def checks_since(session: Session, since: datetime, limit: int = 50) -> list[Row[Any]]:
    """List what supervisors found of tags, the latest first."""
    return list(session.execute(_CHECKS, {"since": since, "limit": limit}).all())
