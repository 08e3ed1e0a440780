"""Which firings an effect is made of: the parts that statements about them are put together from.

Each customer counts once a quarter, by the first firing: the hold-out draw is sticky for a quarter. Only what was
drawn with the share a rule holds out now counts; what was drawn with another is told apart.
"""

FIRSTS = """
WITH firsts AS (
    SELECT DISTINCT ON (f.rule_key, f.customer_id, date_trunc('quarter', f.fired_at))
           f.id, f.rule_key, f.rule_id, f.visit_id, f.customer_id, f.fate, f.fired_at, f.holdout_share
      FROM trigger_firing f
     WHERE f.fate IN ('task', 'held_out')
     ORDER BY f.rule_key, f.customer_id, date_trunc('quarter', f.fired_at), f.fired_at
)
"""
"""Each customer's first firing of a rule in a quarter, whatever share it was drawn with."""
COHORT = (
    FIRSTS  # noqa: S608 - constants only
    + """
, designed AS (
    SELECT DISTINCT ON (rule_key) rule_key, holdout_share
      FROM (SELECT rule_key, holdout_share, max(fired_at) AS last_at FROM trigger_firing
             WHERE fate IN ('task', 'held_out') GROUP BY rule_key, holdout_share) AS shares
     ORDER BY rule_key, last_at DESC
), cohort AS (
    SELECT c.* FROM firsts c
      JOIN designed s ON s.rule_key = c.rule_key AND s.holdout_share IS NOT DISTINCT FROM c.holdout_share
)
"""
)
"""Those of them that an effect is made of."""
TOLD = """
, told AS (
    SELECT a.firing_id, coalesce(k.reached, a.bridged_at IS NOT NULL) AS reached,
           coalesce(k.converted, false) AS tagged
      FROM contact_attempt a
      LEFT JOIN disposition d ON d.attempt_id = a.id
      LEFT JOIN disposition_kind k ON k.code = d.counts_as
     WHERE a.result IS DISTINCT FROM 'not_placed' AND a.result IS DISTINCT FROM 'rejected'
)
"""
"""What came of each attempt, as the agent said, else as the carrier did."""
IN_WINDOW = """
     ((CAST(:since AS timestamptz) IS NULL OR f.fired_at >= :since)
  AND (CAST(:until AS timestamptz) IS NULL OR f.fired_at < :until)
  AND (NOT :has_versions OR f.rule_id = ANY(CAST(:versions AS uuid[]))))
"""
"""A condition on firings `f`: those of a `Window`, whose parameters it takes."""
