"""Who came to a step while a version of a rule was on trial, and who of them converted; read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from callcenter.domain.draws import in_canary
from callcenter.learning.proposing import CanaryCounts

_CAME = text("""
SELECT c.customer_id,
       EXISTS (SELECT FROM journey_event e
                WHERE e.customer_id = c.customer_id AND e.journey = :journey AND e.journey_key = c.journey_key
                  AND e.event_time > c.opened_at AND e.event_time <= c.opened_at + :window
                  AND e.role <> 'exit' AND e.step = ANY(CAST(:reached AS text[]))) AS converted
  FROM (SELECT DISTINCT ON (v.customer_id) v.customer_id, v.journey_key, v.opened_at
          FROM visit v
         WHERE v.journey = :journey AND v.step = :step AND v.opened_at >= :since AND v.opened_at < :until
         ORDER BY v.customer_id, v.opened_at, v.visit_seq) c
""")


@dataclass(frozen=True, slots=True)
class TriedVersion:
    """A version on trial: where, on whom, since when, and what counts as converted within which window."""

    rule_key: str
    version: int
    journey: str
    step: str
    share: float
    since: datetime
    reached: Sequence[str]
    window: timedelta


def canary_counts(session: Session, tried: TriedVersion, until: datetime) -> CanaryCounts:
    """Count the customers of the step by their first visit since the trial began, called or not, held out or not.

    Everybody counts by the draw, whatever was done with them; a visit whose window is open still counts as not
    converted yet, on both sides alike.
    """
    facts = {
        "journey": tried.journey,
        "step": tried.step,
        "since": tried.since,
        "until": until,
        "window": tried.window,
        "reached": list(tried.reached),
    }
    counts = {(is_tried, came): 0 for is_tried in (True, False) for came in (True, False)}
    for customer_id, converted in session.execute(_CAME, facts):
        counts[in_canary(tried.rule_key, tried.version, customer_id, tried.share), converted] += 1
    return CanaryCounts(
        tried=counts[True, True] + counts[True, False],
        converted_tried=counts[True, True],
        beside=counts[False, True] + counts[False, False],
        converted_beside=counts[False, True],
    )
