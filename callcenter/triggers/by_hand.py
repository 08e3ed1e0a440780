"""The built-in rule of call tasks that somebody asked for, and its firings.

It stands in the table because a task has a firing and a firing a rule. It is retired from the start: nothing
fires by it, and whether its reason stands is asked of the visit alone.
"""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from callcenter.db import cursor_of
from callcenter.domain.enums import FiringFate, Preset, RuleState
from callcenter.domain.ids import derived_id
from callcenter.domain.journey import VisitRecord
from callcenter.domain.partners import BY_HAND
from callcenter.errors import Conflict
from callcenter.models import TriggerFiring, TriggerRule

_TITLE = {"en": "Asked for by the bank", "zh": "银行要求致电"}


def keep_reserved(rule_key: str) -> None:
    """Refuse to make the built-in rule one of people's. Raises Conflict."""
    if rule_key == BY_HAND:
        raise Conflict(f"The rule {BY_HAND!r} is built in and never live. Choose another name.")


def fire_by_hand(
    session: Session, visit: VisitRecord, step: str, facts: dict[str, Any], now: datetime
) -> TriggerFiring | None:
    """Store the firing of a task that was asked for, its fate decided; None when this visit has had one."""
    rule = _rule_of(session, visit.journey, step, now)
    key = (BY_HAND, visit.customer_id, visit.journey, visit.journey_key, visit.state.visit_seq)
    firing_id = derived_id("firing", *key)
    if session.get(TriggerFiring, firing_id) is not None:
        return None
    firing = TriggerFiring(
        id=firing_id,
        rule_id=rule.id,
        rule_key=BY_HAND,
        visit_id=visit.id,
        customer_id=visit.customer_id,
        journey=visit.journey,
        journey_key=visit.journey_key,
        step=step,
        visit_seq=visit.state.visit_seq,
        anchor_at=now,
        due_at=now,
        wake_at=now,
        fired_at=now,
        decided_at=now,
        fate=FiringFate.TASK,
        facts=facts,
    )
    session.add(firing)
    session.flush()
    return firing


def _rule_of(session: Session, journey: str, step: str, now: datetime) -> TriggerRule:
    """Return the version of the built-in rule for a step; it is made when it is needed first."""
    wanted = (
        select(TriggerRule)
        .where(TriggerRule.rule_key == BY_HAND)
        .where(TriggerRule.journey == journey)
        .where(TriggerRule.step == step)
    )
    if row := session.exec(wanted).first():
        return row
    cursor_of(session).execute("SELECT pg_advisory_xact_lock(5203)")
    if row := session.exec(wanted).first():
        return row
    newest = select(func.max(col(TriggerRule.version))).where(TriggerRule.rule_key == BY_HAND)
    version = (session.exec(newest).one() or 0) + 1
    row = TriggerRule(
        id=derived_id("rule", BY_HAND, version),
        rule_key=BY_HAND,
        version=version,
        journey=journey,
        step=step,
        preset=Preset.MOMENT,
        state=RuleState.RETIRED,
        state_at=now,
        definition={
            "rule": BY_HAND,
            "title": _TITLE,
            "journey": journey,
            "step": step,
            "preset": "moment",
            "holdout": 0,
        },
        created_at=now,
        note="built in",
    )
    session.add(row)
    session.flush()
    return row
