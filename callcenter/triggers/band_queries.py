"""Reads of the visits by which the waits of a band are judged."""

from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

VISITS_OF_VERSION = """
  FROM banded_visit b JOIN visit v ON v.id = b.visit_id JOIN trigger_rule r ON r.id = b.rule_id
 WHERE b.rule_id = :rule_id AND v.opened_at >= coalesce(r.canary_from, r.published_at)
"""
"""Those of a version's band; visits that began under another version are left out."""
_HOW_MANY = text("SELECT count(b.settled_at), count(*) - count(b.settled_at)" + VISITS_OF_VERSION)


def count_visits(session: Session, rule_id: UUID) -> tuple[int, int]:
    """Return how many visits of a version's band are settled, and of how many the window still runs."""
    settled, running = session.execute(_HOW_MANY, {"rule_id": rule_id}).one()
    return settled, running
