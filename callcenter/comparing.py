"""Keeps a rule's arms comparable: held-out customers pass the check that a call task passes before its call."""

from datetime import datetime

from sqlmodel import Session

from callcenter.journeys import queries as journeys
from callcenter.journeys.records import state_of
from callcenter.learning import ghosts
from callcenter.models import TriggerFiring
from callcenter.triggers.queries import current_rules
from callcenter.triggers.rules import still_stands


def look_at_ghosts(session: Session, now: datetime, limit: int) -> int:
    """Look whether the reasons of held-out firings still stand when they would be called; return how many were due.

    The look is that of `why_dead` in `moves.py`, which lets a call task die.
    """
    due = ghosts.ghosts_due(session, now, limit)
    if not due:
        return 0
    rules = current_rules(session, journeys.journeys_loaded(session))
    for ghost in due:
        firing = session.get_one(TriggerFiring, ghost.firing_id)
        spec = rules.spec_of(firing.rule_id, firing.rule_key)
        visit = state_of(journeys.visit_of(session, firing.visit_id))
        was_there = visit.is_open and (spec is None or still_stands(spec, firing.anchor_at, visit))
        ghosts.settle(ghost, was_there=was_there, now=now)
    return len(due)
