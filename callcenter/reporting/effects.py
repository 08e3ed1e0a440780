"""Counts of rules and scripts for the studio: firings lately, who switched them, attempts by script."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

_LATELY = text("""
SELECT f.rule_key, count(*) AS fired, count(*) FILTER (WHERE f.fate = 'held_out') AS held_out,
       count(*) FILTER (WHERE t.attempts > 0) AS called
  FROM trigger_firing f LEFT JOIN call_task t ON t.firing_id = f.id
 WHERE f.fired_at >= :since AND f.fired_at <= :now
 GROUP BY f.rule_key
""")
_SWITCHED = text("""
SELECT DISTINCT ON (e.subject) e.subject AS rule_key, e.at, u.name
  FROM audit_entry e LEFT JOIN app_user u ON u.id = e.user_id
 WHERE e.act IN ('rule.paused', 'rule.resumed', 'rule.published')
 ORDER BY e.subject, e.at DESC, e.id DESC
""")
_SCRIPTS = text("""
SELECT a.script_id, c.language, count(*) AS attempts
  FROM contact_attempt a JOIN customer c ON c.id = a.customer_id
 WHERE a.script_id IS NOT NULL GROUP BY a.script_id, c.language
""")
_SCRIPTS_OF_RULE = text("""
SELECT DISTINCT coalesce(own_terms->>'script_id', script_id) AS script_id
  FROM call_task WHERE rule_key = :rule_key AND script_id IS NOT NULL
""")


@dataclass(frozen=True, slots=True)
class Lately:
    """Firings of a rule in a span, whatever became of them; of them held out, and called at least once."""

    fired: int = 0
    held_out: int = 0
    called: int = 0


def firings_lately(session: Session, since: datetime, now: datetime) -> Mapping[str, Lately]:
    """Count firings per rule from `since` until `now`."""
    rows = session.execute(_LATELY, {"since": since, "now": now})
    return {row.rule_key: Lately(row.fired, row.held_out, row.called) for row in rows}


def switched_by(session: Session) -> Mapping[str, tuple[datetime, str | None]]:
    """Return who last published, paused or resumed each rule, and when."""
    return {row.rule_key: (row.at, row.name) for row in session.execute(_SWITCHED)}


def attempts_per_script(session: Session) -> Mapping[tuple[str, str], int]:
    """Count attempts by script and the customer's language."""
    return {(row.script_id, row.language): row.attempts for row in session.execute(_SCRIPTS)}


def scripts_of_rule(session: Session, rule_key: str) -> frozenset[str]:
    """Return the scripts a rule's call tasks were opened with."""
    return frozenset(row.script_id for row in session.execute(_SCRIPTS_OF_RULE, {"rule_key": rule_key}))
