"""Reads of segments: which there are, who is in one, how large a draft is, and which tags agents may give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.models import AgentTag, Customer, Segment
from callcenter.segments import policy
from callcenter.segments.finding import members_of
from callcenter.segments.rules import Known, SegmentSpec

_CHANGES = """
WITH found AS MATERIALIZED (SELECT c.id FROM customer c WHERE {})
SELECT (SELECT count(*) FROM found),
       ARRAY(SELECT f.id FROM found f JOIN customer c ON c.id = f.id WHERE NOT c.segments ? %(key)s),
       ARRAY(SELECT c.id FROM customer c WHERE c.segments <> '[]' AND c.segments ? %(key)s
                AND NOT EXISTS (SELECT FROM found f WHERE f.id = c.id))
"""
_LEFT = """
SELECT 0, '{}'::uuid[], ARRAY(SELECT c.id FROM customer c WHERE c.segments <> '[]' AND c.segments ? %(key)s)
"""
_COUNT = "SELECT count(*) FROM customer c WHERE {}"
_MEMBERS = """
SELECT external_id, language, city FROM customer WHERE segments <> '[]' AND segments ? %(key)s ORDER BY external_id
"""
_TAGS_USED = """
SELECT one.code, count(*) FROM customer c, jsonb_array_elements_text(c.agent_tags) AS one(code)
 WHERE c.agent_tags <> '[]' GROUP BY 1
"""
_RULES_USING = """
SELECT DISTINCT rule_key FROM trigger_rule
 WHERE state IN ('live', 'paused', 'draft', 'in_review')
   AND jsonb_path_exists(definition, '$.** ? (@.field == "customer.segments" && @.value == $key)',
                         jsonb_build_object('key', %(key)s::text))
 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """What working a segment out has found: how many are in it, who is to be put into it, and who taken out."""

    size: int
    joined: tuple[UUID, ...]
    left: tuple[UUID, ...]


class TookTooLong(Exception):
    """A segment could not be worked out in the time there is for it."""


def segments(session: Session) -> Sequence[Segment]:
    """List the segments that have not ended, by name."""
    wanted = select(Segment).where(col(Segment.ended_at).is_(None)).order_by(col(Segment.key))
    return session.exec(wanted).all()


def segments_due(session: Session, now: datetime) -> list[str]:
    """List the segments that are to be worked out now, the longest unlooked at first.

    A segment that takes long rests longer, and one that was given up rests an hour.
    """
    due = []
    unsettled = col(Segment.is_settled).is_(False)
    for row in session.exec(select(Segment).where(col(Segment.ended_at).is_(None) | unsettled)):
        rest = max(policy.FRESH_FOR, policy.SHARE_OF_TIME * timedelta(milliseconds=row.took_ms))
        if row.trouble:
            rest = policy.AFTER_TROUBLE
        elif not row.is_settled:
            rest = timedelta(0)
        tried_at = row.tried_at if row.tried_at and row.tried_at >= row.changed_at else None
        if tried_at is None or tried_at + rest <= now:
            due.append((tried_at or datetime.min.replace(tzinfo=now.tzinfo), row.key))
    return [key for _, key in sorted(due)]


def may_work_out(session: Session, key: str) -> bool:
    """Keep to this transaction the right to work a segment out; False when another process does."""
    asked = "SELECT pg_try_advisory_xact_lock(hashtextextended(%(key)s, 7108))"
    return bool((cursor_of(session).execute(asked, {"key": key}).fetchone() or (False,))[0])


def _bounded(session: Session, query: str, values: dict[str, Any], within_ms: int) -> Any:
    """Ask for one row, for so long; raises TookTooLong. What the transaction did before stays."""
    try:
        with session.begin_nested():
            cursor = cursor_of(session)
            cursor.execute(f"SET LOCAL statement_timeout = {int(within_ms)}")
            return cursor.execute(query.encode(), values).fetchone()
    except psycopg.errors.QueryCanceled:
        raise TookTooLong from None
    finally:
        cursor_of(session).execute("SET LOCAL statement_timeout = '120s'")


def changes_of(session: Session, key: str, spec: SegmentSpec | None, known: Known, now: datetime) -> Changes:
    """Work a segment out and say what is to change; without a spec everybody leaves it. Raises TookTooLong."""
    condition, values = members_of(spec, known, now) if spec else ("", {})
    query = _CHANGES.format(condition) if spec else _LEFT
    row = _bounded(session, query, {**values, "key": key}, policy.COUNT_WITHIN_MS)
    return Changes(row[0], tuple(row[1]), tuple(row[2]))


def size_of(session: Session, spec: SegmentSpec, known: Known, now: datetime) -> int:
    """Count who would be in a segment now. Raises TookTooLong."""
    condition, values = members_of(spec, known, now)
    return int(_bounded(session, _COUNT.format(condition), values, policy.LOOK_WITHIN_MS)[0])


def sample_of(session: Session, key: str, limit: int) -> Sequence[Customer]:
    """Return some customers of a segment, always the same while nothing changes."""
    wanted = (
        select(Customer).where(col(Customer.segments) != []).where(col(Customer.segments).contains([key]))
    )
    return session.exec(wanted.order_by(col(Customer.id)).limit(limit)).all()


def members(session: Session, key: str) -> list[tuple[str, str, str | None]]:
    """List a segment's customers by the bank's own ids, with language and city."""
    return [(row[0], row[1], row[2]) for row in cursor_of(session).execute(_MEMBERS, {"key": key})]


def rules_using(session: Session, key: str) -> list[str]:
    """Name the rules, drafts too, whose conditions speak of a segment."""
    return [row[0] for row in cursor_of(session).execute(_RULES_USING, {"key": key})]


def agent_tags(session: Session, *, active_only: bool = True) -> Sequence[AgentTag]:
    """List the tags agents may give, by code; with `active_only` off also those given up."""
    wanted = select(AgentTag).order_by(col(AgentTag.code))
    return session.exec(wanted.where(col(AgentTag.is_active)) if active_only else wanted).all()


def tags_in_use(session: Session) -> dict[str, int]:
    """Count the customers who have each tag of agents."""
    return dict(cursor_of(session).execute(_TAGS_USED).fetchall())
