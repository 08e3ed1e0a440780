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

from callcenter.learning.cohort import COHORT, FIRSTS, IN_WINDOW, TOLD
from callcenter.learning.rules import ArmCounts, VariantCounts
from callcenter.learning.windows import ALL_THE_TIME, Window

_PER_RULE = (
    COHORT
    + TOLD
    + """
SELECT f.rule_key, f.holdout_share,
       count(*) FILTER (WHERE f.fate = 'held_out') AS held_out,
       count(*) FILTER (WHERE f.fate = 'task') AS assigned,
       count(*) FILTER (WHERE f.fate = 'task' AND f.id IN (SELECT t.firing_id FROM told t)) AS called,
       count(*) FILTER (WHERE f.fate = 'task'
             AND f.id IN (SELECT t.firing_id FROM told t WHERE t.reached)) AS reached,
       count(o.converted_at) FILTER (WHERE f.fate = 'task') AS converted_assigned,
       count(o.converted_at) FILTER (WHERE f.fate = 'held_out') AS converted_held_out,
       count(*) FILTER (WHERE f.id IN (SELECT t.firing_id FROM told t WHERE t.tagged)) AS tagged,
       extract(epoch FROM max(f.fired_at) - min(f.fired_at)) / 604800.0 AS weeks
  FROM cohort f
  LEFT JOIN (SELECT firing_id, converted_at FROM outcome OFFSET 0) o ON o.firing_id = f.id  -- read whole, once
"""
    + " WHERE f.rule_key <> 'by-hand' AND "
    + IN_WINDOW
    + " GROUP BY f.rule_key, f.holdout_share"
)


_VARIANTS_OF_RULES = (
    FIRSTS
    + """
SELECT c.rule_key, t.script_variant, count(*) AS n, count(o.converted_at) AS converted
  FROM firsts c
  JOIN (SELECT firing_id, coalesce(own_terms->>'script_id', script_id) AS script_id,
               coalesce(own_terms->>'script_variant', script_variant) AS script_variant,
               coalesce((own_terms->>'script_propensity')::float8, script_propensity) AS script_propensity
          FROM call_task) t
    ON t.firing_id = c.id
  LEFT JOIN outcome o ON o.firing_id = c.id
 WHERE c.rule_key <> 'by-hand' AND t.script_variant IN ('A', 'B') AND t.script_propensity = 0.5
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
