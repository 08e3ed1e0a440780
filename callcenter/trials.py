"""What people do with versions of rules beside publishing them: try them on some customers, and go back.

Verbs as in `acts.py`, on which they rest.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import outbox
from callcenter.acts import journey_of, record_rule, watch_anew
from callcenter.journeys import queries as journey_queries
from callcenter.models import TriggerRule
from callcenter.rule_needs import require_needs
from callcenter.triggers import queries as trigger_queries
from callcenter.triggers import trials


def try_rule(
    session: Session, rule_key: str, version: int, user_id: UUID, now: datetime, *, days: int
) -> None:
    """Try a version in review on a fifth of the customers: the act of a second person, as publishing is."""
    definitions = journey_queries.journeys_loaded(session)
    row = trials.begin_trial(session, rule_key, version, definitions, user_id, days, now)
    require_needs(session, row.definition)
    record_rule(session, row, user_id, "rule.tried", now, days=days)


def try_proposed(
    session: Session,
    rule_key: str,
    definition: Mapping[str, Any],
    user_id: UUID,
    now: datetime,
    *,
    note: str,
    days: int,
) -> TriggerRule:
    """Write a proposed change down as this person's version and try it. Somebody else decides on it afterwards."""
    row = write_proposed(session, rule_key, definition, user_id, now, note=note)
    definitions = journey_queries.journeys_loaded(session)
    trials.begin_trial(session, rule_key, row.version, definitions, None, days, now)
    record_rule(session, row, user_id, "rule.tried", now, days=days)
    return row


def write_proposed(
    session: Session,
    rule_key: str,
    definition: Mapping[str, Any],
    user_id: UUID,
    now: datetime,
    *,
    note: str,
) -> TriggerRule:
    """Write a proposed change down as this person's version, in review."""
    journey = journey_of(session, definition)
    require_needs(session, definition)
    row = trials.write_version(session, rule_key, definition, journey, user_id, note, now)
    record_rule(session, row, user_id, "rule.submitted", now, note=row.note)
    return row


def stop_trial(
    session: Session, rule_key: str, version: int, user_id: UUID | None, now: datetime, *, reason: str
) -> None:
    """Stop a canary. Its open visits go on under the live version, from this moment on."""
    definitions = journey_queries.journeys_loaded(session)
    before = trigger_queries.current_rules(session, definitions)
    row = trials.stop_trial(session, rule_key, version, user_id, now)
    watch_anew(session, before, row, now, skips_past=False, keeps_missed=False)
    record_rule(session, row, user_id, "rule.trial_stopped", now, reason=reason.strip())


def roll_back_rule(
    session: Session,
    rule_key: str,
    user_id: UUID | None,
    now: datetime,
    *,
    to_version: int | None = None,
    reason: str = "",
) -> TriggerRule:
    """Publish what an earlier version says as a new one, at once and by one person: it is to stop harm.

    A skill it asks for that is gone does not hold it up. Open visits follow it; only deadlines still ahead fire, as
    when a version is published for them.
    """
    definitions = journey_queries.journeys_loaded(session)
    before = trigger_queries.current_rules(session, definitions)
    done = trials.roll_back(session, rule_key, to_version, definitions, user_id, now)
    missed = watch_anew(session, before, done.row, now, skips_past=True, keeps_missed=True)
    told = {"reason": reason.strip(), "to": done.row.note.removeprefix("v"), "missed": missed}
    record_rule(session, done.row, user_id, "rule.rolled_back", now, **told)
    outbox.ring(session, outbox.FLOOR)
    return done.row
