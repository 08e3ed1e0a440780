"""Counts per rule, each customer once a quarter by the first firing.

The hold-out draw is sticky, so a customer's later firings are no new evidence. Only firings of both arms
that went through the same filters count: those that became a call task and those held out. A firing whose
window is still open counts too, in both arms alike; its conversion may still come. A rule's arms hold only what
was drawn with the share of today: under another share the split was another.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel import Session

from callcenter.learning.rules import ArmCounts, VariantCounts
from callcenter.learning.windows import ALL_THE_TIME, Window

COHORT = """
WITH cohort AS (
    SELECT DISTINCT ON (f.rule_key, f.customer_id, date_trunc('quarter', f.fired_at))
           f.id, f.rule_key, f.rule_id, f.visit_id, f.customer_id, f.fate, f.fired_at, f.holdout_share
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
DESIGNED = """
, designed AS (
    SELECT DISTINCT ON (rule_key) rule_key, holdout_share
      FROM (SELECT rule_key, holdout_share, max(fired_at) AS last_at FROM trigger_firing
             WHERE fate IN ('task', 'held_out') GROUP BY rule_key, holdout_share) AS shares
     ORDER BY rule_key, last_at DESC
)
"""
"""The share each rule holds out now: what was drawn with another is told apart."""
IN_WINDOW = """
 WHERE (CAST(:since AS timestamptz) IS NULL OR c.fired_at >= :since)
   AND (CAST(:until AS timestamptz) IS NULL OR c.fired_at < :until)
   AND (NOT :has_versions OR c.rule_id = ANY(CAST(:versions AS uuid[])))
"""
_PER_RULE = (
    COHORT
    + DESIGNED
    + """
SELECT c.rule_key, c.holdout_share,
       count(*) FILTER (WHERE c.fate = 'held_out') AS held_out,
       count(*) FILTER (WHERE c.fate = 'task') AS assigned,
       count(*) FILTER (WHERE c.fate = 'task' AND c.id IN (SELECT t.firing_id FROM told t)) AS called,
       count(*) FILTER (WHERE c.fate = 'task'
             AND c.id IN (SELECT t.firing_id FROM told t WHERE t.reached)) AS reached,
       count(o.converted_at) FILTER (WHERE c.fate = 'task') AS converted_assigned,
       count(o.converted_at) FILTER (WHERE c.fate = 'held_out') AS converted_held_out,
       count(*) FILTER (WHERE c.id IN (SELECT t.firing_id FROM told t WHERE t.tagged)) AS tagged,
       extract(epoch FROM max(c.fired_at) - min(c.fired_at)) / 604800.0 AS weeks
  FROM cohort c
  JOIN designed s ON s.rule_key = c.rule_key AND s.holdout_share IS NOT DISTINCT FROM c.holdout_share
  LEFT JOIN (SELECT firing_id, converted_at FROM outcome OFFSET 0) o ON o.firing_id = c.id  -- read whole, once
"""
    + IN_WINDOW
    + " GROUP BY c.rule_key, c.holdout_share"
)


_VARIANTS_OF_RULES = (
    COHORT
    + """
SELECT c.rule_key, t.script_variant, count(*) AS n, count(o.converted_at) AS converted
  FROM cohort c
  JOIN (SELECT firing_id, coalesce(own_terms->>'script_id', script_id) AS script_id,
               coalesce(own_terms->>'script_variant', script_variant) AS script_variant,
               coalesce((own_terms->>'script_propensity')::float8, script_propensity) AS script_propensity
          FROM call_task) t
    ON t.firing_id = c.id
  LEFT JOIN outcome o ON o.firing_id = c.id
 WHERE t.script_variant IN ('A', 'B') AND t.script_propensity = 0.5
 GROUP BY 1, 2
"""
)


@dataclass(frozen=True, slots=True)
class RuleCounts:
    """One rule's counts, the agents' own word beside them, and how many weeks they span.

    `holdout_share` is the share all of them were drawn with, None where it was not logged.
    """

    arms: ArmCounts
    tagged_converted: int
    weeks: float
    holdout_share: float | None = None

    def share_drawn(self, holdout: float) -> float:
        """The share the counts were drawn with: as logged, else as the rule says now."""
        return holdout if self.holdout_share is None else self.holdout_share


def counts_per_rule(session: Session, window: Window = ALL_THE_TIME) -> Mapping[str, RuleCounts]:
    """Return the counts of every rule that has fired, by rule key; whose first firing of a quarter is in the window
    counts in it."""
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
            holdout_share=row.holdout_share,
        )
        for row in session.execute(text(_PER_RULE), window.parameters)
    }


def variants_per_rule(session: Session) -> Mapping[str, tuple[VariantCounts, VariantCounts]]:
    """Return, per rule, the assigned customers and conversions of the variants A and B that were drawn evenly."""
    found: dict[str, dict[str, VariantCounts]] = {}
    for row in session.execute(text(_VARIANTS_OF_RULES)):
        found.setdefault(row.rule_key, {})[row.script_variant] = VariantCounts(row.n, row.converted)
    nobody = VariantCounts(0, 0)
    return {rule: (one.get("A", nobody), one.get("B", nobody)) for rule, one in found.items()}
