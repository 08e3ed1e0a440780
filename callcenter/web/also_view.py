"""The other reasons for a call: what was folded in and stands, and what of it may be mentioned."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from callcenter import merging
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.domain.enums import BarReason, Purpose
from callcenter.domain.journey import JourneyDefinition
from callcenter.journeys.queries import journeys_loaded
from callcenter.models import TriggerFiring, TriggerRule
from callcenter.reporting.calls import Case
from callcenter.runtime import Runtime
from callcenter.triggers.queries import current_rules
from callcenter.web import words
from callcenter.web.edge import chosen, language
from callcenter.web.pages import console as page

_OF_DIALING = frozenset(
    {
        BarReason.ATTEMPT_CAP_REACHED,
        BarReason.NUMBER_CAP_REACHED,
        BarReason.MINIMUM_GAP,
        BarReason.TALKED_LATELY,
        BarReason.AGENT_NOT_GUARANTEED,
        BarReason.ABANDONMENT_BUDGET_SPENT,
    }
)
"""What bars another dial does not bar a word on a call that is made anyway."""


def also_why(runtime: Runtime, session: Any, case: Case, now: datetime) -> tuple[page.AlsoWhy, ...]:
    """Return the reasons beside the one that leads, the task's own first."""
    if not case.task.folded_firings:
        return ()
    journeys = journeys_loaded(session)
    rules = current_rules(session, journeys)
    own_purpose = Purpose(case.task.own_terms.get("purpose", case.task.purpose))
    shown = []
    if case.firing.id != case.task.firing_id:
        own = session.get_one(TriggerFiring, case.task.firing_id)
        shown.append(_row(runtime, session, case, journeys, own, own_purpose, now))
    for one in merging.reasons_folded(session, rules, case.task.id):
        if one.stands and one.spec is not None and one.firing.id != case.firing.id:
            shown.append(_row(runtime, session, case, journeys, one.firing, one.spec.purpose, now))
    return tuple(shown)


def _row(
    runtime: Runtime,
    session: Any,
    case: Case,
    journeys: Mapping[str, JourneyDefinition],
    firing: TriggerFiring,
    purpose: Purpose,
    now: datetime,
) -> page.AlsoWhy:
    journey, spoken = journeys.get(firing.journey), language()
    rule = session.get_one(TriggerRule, firing.rule_id)
    title = chosen(rule.definition.get("title"), firing.rule_key)
    said = str(firing.facts.get("asked_for") or title)
    is_offer = purpose is Purpose.MARKETING and case.task.purpose != Purpose.MARKETING
    return page.AlsoWhy(
        id=str(firing.id),
        headline=words.headline(journey, said, firing.facts, str(rule.preset), firing.step, spoken),
        step=words.step_words(journey, firing.step, spoken),
        at=firing.anchor_at,
        rule=title,
        unsaid=_why_unsaid(runtime, session, case, firing, now) if is_offer else (),
    )


def _why_unsaid(
    runtime: Runtime, session: Any, case: Case, firing: TriggerFiring, now: datetime
) -> tuple[str, ...]:
    """Ask the gate whether an offer may be made to this customer now; nothing is kept of the answer."""
    call = ProposedCall(case.customer, Purpose.MARKETING, firing.journey)
    ((facts, policy),) = look(session, runtime.house.gate, [call], now)
    verdict = screen_customer(facts, policy, now)
    return tuple(str(one) for one in verdict.reasons if one not in _OF_DIALING)
