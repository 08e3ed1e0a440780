# ruff: noqa: S608 - statements are put together from constants; what is asked are parameters
"""The customers behind a rule's counts: those whom `counts_per_rule` counts, by the same cohort and window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from callcenter.learning.cohort import COHORT, IN_WINDOW, TOLD
from callcenter.learning.windows import Part, Window

SHOWN_PEOPLE = 200
_TOLD = "(f.id IN (SELECT t.firing_id FROM told t%s)) IS TRUE"
"""Asked so that PostgreSQL looks up a hash, however few firings it expects."""
_PARTS: Mapping[Part, str] = {
    Part.FIRED: "true",
    Part.HELD_OUT: "f.fate = 'held_out'",
    Part.CALLED: "f.fate = 'task' AND " + _TOLD % "",
    Part.REACHED: "f.fate = 'task' AND " + _TOLD % " WHERE t.reached",
    Part.CONVERTED: "f.fate = 'task' AND o.converted_at IS NOT NULL",
    Part.CONVERTED_HELD_OUT: "f.fate = 'held_out' AND o.converted_at IS NOT NULL",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """A customer with the journey key of the visit that fired."""

    customer_id: UUID
    journey_key: str


def people_counted(
    session: Session, rule_key: str, part: Part, window: Window
) -> tuple[Sequence[Counted], int]:
    """List who is behind one count of a rule, the latest fired first and at most 200, and how many firings it is.

    A customer is listed once for each quarter in which they are counted.
    """
    statement = f"""{COHORT}{TOLD}
, mine AS MATERIALIZED (
    SELECT f.customer_id, f.visit_id, f.fired_at, count(*) OVER () AS firings
      FROM cohort f LEFT JOIN outcome o ON o.firing_id = f.id
     WHERE f.rule_key = :rule_key AND {_PARTS[part]} AND {IN_WINDOW}
     ORDER BY f.fired_at DESC, f.customer_id LIMIT {SHOWN_PEOPLE}
)
SELECT m.customer_id, v.journey_key, m.firings FROM mine m JOIN visit v ON v.id = m.visit_id
 ORDER BY m.fired_at DESC, m.customer_id
"""
    rows = session.execute(text(statement), {**window.parameters, "rule_key": rule_key}).all()
    return [Counted(row.customer_id, row.journey_key) for row in rows], rows[0].firings if rows else 0
