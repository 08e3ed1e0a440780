"""Counts per rule and per script variant, each customer once a quarter by the first firing.

The hold-out draw is sticky, so a customer's later firings are no new evidence. Only firings of both arms
that went through the same filters count: those that became a call task and those held out. A firing whose
window is still open counts too, in both arms alike; its conversion may still come.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from callcenter.learning.rules import ArmCounts, VariantCounts

_COHORT = """
WITH cohort AS (
    SELECT DISTINCT ON (f.rule_key, f.customer_id, date_trunc('quarter', f.fired_at))
           f.id, f.rule_key, f.customer_id, f.fate, f.fired_at
      FROM trigger_firing f
     WHERE f.fate IN ('task', 'held_out') AND f.rule_key <> 'by-hand'
     ORDER BY f.rule_key, f.customer_id, date_trunc('quarter', f.fired_at), f.fired_at
), told AS (
    SELECT a.firing_id, a.script_id, a.script_variant, a.bridged_at,
           coalesce(k.reached, a.bridged_at IS NOT NULL) AS reached,
           coalesce(k.converted, false) AS tagged
      FROM contact_attempt a
      LEFT JOIN disposition d ON d.attempt_id = a.id
      LEFT JOIN disposition_kind k ON k.code = d.counts_as
     WHERE a.result IS DISTINCT FROM 'not_placed' AND a.result IS DISTINCT FROM 'rejected'
)
"""
_PER_RULE = (
    _COHORT
    + """
SELECT c.rule_key,
       count(*) FILTER (WHERE c.fate = 'held_out') AS held_out,
       count(*) FILTER (WHERE c.fate = 'task') AS assigned,
       count(*) FILTER (WHERE c.fate = 'task' AND EXISTS
             (SELECT 1 FROM told t WHERE t.firing_id = c.id)) AS called,
       count(*) FILTER (WHERE c.fate = 'task' AND EXISTS
             (SELECT 1 FROM told t WHERE t.firing_id = c.id AND t.reached)) AS reached,
       count(o.converted_at) FILTER (WHERE c.fate = 'task') AS converted_assigned,
       count(o.converted_at) FILTER (WHERE c.fate = 'held_out') AS converted_held_out,
       count(*) FILTER (WHERE EXISTS
             (SELECT 1 FROM told t WHERE t.firing_id = c.id AND t.tagged)) AS tagged,
       extract(epoch FROM max(c.fired_at) - min(c.fired_at)) / 604800.0 AS weeks
  FROM cohort c LEFT JOIN outcome o ON o.firing_id = c.id
 GROUP BY c.rule_key
"""
)
_PER_VARIANT = (
    _COHORT
    + """
SELECT t.script_id, t.script_variant, count(DISTINCT c.id) AS n,
       count(DISTINCT c.id) FILTER (WHERE o.converted_at IS NOT NULL) AS converted
  FROM cohort c
  JOIN call_task t ON t.firing_id = c.id
  LEFT JOIN outcome o ON o.firing_id = c.id
 WHERE t.script_id IS NOT NULL
 GROUP BY t.script_id, t.script_variant
"""
)


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """One rule's counts, the agents' own word beside them, and how many weeks they span."""

    arms: ArmCounts
    tagged_converted: int
    weeks: float


def counts_per_rule(session: Session) -> Mapping[str, RuleCounts]:
    """Return the counts of every rule that has fired, by rule key."""
    return {
        row.rule_key: RuleCounts(
            ArmCounts(
                fired=row.held_out + row.assigned,
                held_out=row.held_out,
                assigned=row.assigned,
                called=row.called,
                reached=min(row.reached, row.called),
                converted_assigned=row.converted_assigned,
                converted_held_out=row.converted_held_out,
            ),
            tagged_converted=row.tagged,
            weeks=float(row.weeks or 0),
        )
        for row in session.execute(text(_PER_RULE))
    }


def counts_per_variant(session: Session) -> Mapping[str, Mapping[str, VariantCounts]]:
    """Return, per script, the assigned customers and conversions of each variant.

    Everybody drawn for a variant counts, reached or not, so that the arms stay comparable.
    """
    found: dict[str, dict[str, VariantCounts]] = {}
    for row in session.execute(text(_PER_VARIANT)):
        found.setdefault(row.script_id, {})[row.script_variant] = VariantCounts(row.n, row.converted)
    return found
