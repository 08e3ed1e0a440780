"""Customers whom no rule calls beside all others: what all rules together change."""

from datetime import datetime

from sqlalchemy import text
from sqlmodel import Session

from callcenter.learning.rules import ArmCounts

_ALL_RULES = """
WITH cohort AS (
    SELECT DISTINCT ON (f.customer_id, date_trunc('quarter', f.fired_at)) f.id, f.fate, f.holdout_unit
      FROM trigger_firing f
     WHERE f.fate IN ('task', 'held_out') AND f.holdout_share >= :share AND f.fired_at >= :since
     ORDER BY f.customer_id, date_trunc('quarter', f.fired_at), f.fired_at
)
SELECT count(*) FILTER (WHERE c.holdout_unit < :share) AS held_out,
       count(*) FILTER (WHERE c.holdout_unit >= :share) AS others,
       count(o.converted_at) FILTER (WHERE c.holdout_unit < :share) AS held_out_converted,
       count(o.converted_at) FILTER (WHERE c.holdout_unit >= :share) AS others_converted
  FROM cohort c LEFT JOIN outcome o ON o.firing_id = c.id
"""


def counts_of_all_rules(session: Session, share: float, since: datetime) -> ArmCounts:
    """Count customers whom no rule calls, `share` of all, beside all others, by their first firing in a quarter.

    Firings of exempt rules count for neither, nor those before `since`.
    """
    row = session.execute(text(_ALL_RULES), {"share": share, "since": since}).one()
    return ArmCounts(
        fired=row.held_out + row.others,
        held_out=row.held_out,
        assigned=row.others,
        called=0,
        reached=0,
        converted_assigned=row.others_converted,
        converted_held_out=row.held_out_converted,
    )
