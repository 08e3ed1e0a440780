"""What happened before a firing: read set by set, and only what the rules that are due ask for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.db import cursor_of
from callcenter.domain.enums import FiringFate
from callcenter.domain.moments import Chosen, CoolDown
from callcenter.models import Customer, TriggerFiring
from callcenter.triggers.conditions import NEVER
from callcenter.triggers.queries import MAX_TRIES, RuleSet
from callcenter.triggers.rules import KNOWN_SINCE

_DID = "did."
_AHEAD = timedelta(minutes=2)
"""An event may bear a time so much later than the moment it came in."""
_PARTS: Mapping[str, str] = {
    "history.called": """
SELECT customer_id, 'history.called', max(claimed_at) FROM contact_attempt
WHERE customer_id = ANY(%(ids)b::uuid[]) AND claimed_at >= %(since)s
  AND result IS DISTINCT FROM 'not_placed' AND result IS DISTINCT FROM 'rejected' GROUP BY 1
""",
    "history.reached": """
SELECT customer_id, 'history.reached', max(claimed_at) FROM contact_attempt a
LEFT JOIN disposition d ON d.attempt_id = a.id LEFT JOIN disposition_kind k ON k.code = d.counts_as
WHERE customer_id = ANY(%(ids)b::uuid[]) AND claimed_at >= %(since)s
  AND coalesce(k.reached, bridged_at IS NOT NULL) GROUP BY 1
""",
    "history.converted": """
SELECT f.customer_id, 'history.converted', max(converted_at)
FROM trigger_firing f JOIN outcome o ON o.firing_id = f.id
WHERE f.customer_id = ANY(%(ids)b::uuid[]) AND converted_at >= %(since)s GROUP BY 1
""",
    "history.fired": """
SELECT customer_id, 'history.fired', max(fired_at) FROM trigger_firing
WHERE customer_id = ANY(%(ids)b::uuid[]) AND fired_at >= %(since)s AND fate IN ('task', 'held_out') GROUP BY 1
""",
    "history.refused": """
SELECT customer_id, 'history.refused', max(d.at) FROM contact_attempt a
JOIN disposition d ON d.attempt_id = a.id JOIN disposition_kind k ON k.code = d.counts_as
WHERE customer_id = ANY(%(ids)b::uuid[]) AND d.at >= %(since)s
  AND (do_not_call OR k.refused OR (right_party AND d.causes ? 'need' AND NOT converted AND NOT callback))
GROUP BY 1
""",
}
_EVENTS = b"""
SELECT customer_id, %(did)s || coalesce(key, name), max(event_time) FROM journey_event
WHERE customer_id = ANY(%(ids)b::uuid[]) AND event_time >= %(since)s AND received_at >= %(received_since)s
  AND coalesce(key, name) = ANY(%(names)b::text[]) GROUP BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class About:
    """What rules may know of a customer: attributes, and when things happened last that they ask about.

    `objects`: to marketing, and so to being looked at for it; no rule of that purpose fires for them.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    history: Mapping[str, datetime] = field(default_factory=dict)
    objects: bool = False


_OBJECTING = """
SELECT customer_id FROM suppression s
 WHERE customer_id = ANY(%(ids)s) AND kind = 'objection' AND lifts_id IS NULL
   AND (purpose IS NULL OR purpose = 'marketing') AND (expires_at IS NULL OR expires_at > %(now)s)
   AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id)
"""


def about_customers(
    session: Session, ids: Collection[UUID], asked: Mapping[str, timedelta], now: datetime
) -> dict[UUID, About]:
    """Return what rules may know of these customers.

    `asked` are the history fields that somebody asks about, with how far back each is read. What did not
    happen in that time is NEVER.
    """
    past = _history(session, list(ids), asked, now) if asked else {}
    nothing = dict.fromkeys(asked, NEVER)
    objecting = {
        row[0] for row in cursor_of(session).execute(_OBJECTING, {"ids": list(ids), "now": now}).fetchall()
    }
    people = session.exec(select(Customer).where(col(Customer.id).in_(ids)))
    return {
        one.id: About(attributes_of(one), {**nothing, **past.get(one.id, {})}, one.id in objecting)
        for one in people
    }


def attributes_of(customer: Customer) -> dict[str, Any]:
    """Return what rules may know of a customer as of today: traits and profile."""
    return {
        **customer.traits,
        "language": customer.language,
        "city": customer.city,
        "gender": customer.gender,
        "tags": [*customer.tags, *customer.agent_tags],
        "segments": customer.segments,
        "survey_group": customer.survey_group,
        "time_zone": customer.time_zone,
        KNOWN_SINCE: customer.created_at,
    }


def _history(
    session: Session, ids: list[UUID], asked: Mapping[str, timedelta], now: datetime
) -> dict[UUID, dict[str, datetime]]:
    found: dict[UUID, dict[str, datetime]] = {}
    names = [one.removeprefix(_DID) for one in asked if one.startswith(_DID)]
    parts = [_PARTS[one] for one in sorted(asked) if not one.startswith(_DID)]
    cursor = cursor_of(session)
    rows: list[Sequence[Any]] = []
    if parts:
        since = now - max(span for one, span in asked.items() if not one.startswith(_DID))
        rows += cursor.execute(" UNION ALL ".join(parts).encode(), {"ids": ids, "since": since}).fetchall()
    if names:
        since = now - max(span for one, span in asked.items() if one.startswith(_DID))
        facts = {"did": _DID, "ids": ids, "names": names, "since": since, "received_since": since - _AHEAD}
        rows += cursor.execute(_EVENTS, facts).fetchall()
    for customer_id, name, at in rows:
        found.setdefault(customer_id, {})[name] = at
    return found


def chosen_before(session: Session, firing: TriggerFiring, span: timedelta) -> list[Chosen]:
    """Return the customer's other firings within a span that became a call task or were held out."""
    rows = session.exec(
        select(TriggerFiring.rule_key, TriggerFiring.journey, TriggerFiring.fired_at)
        .where(TriggerFiring.customer_id == firing.customer_id)
        .where(TriggerFiring.id != firing.id)
        .where(col(TriggerFiring.fate).in_([FiringFate.TASK, FiringFate.HELD_OUT]))
        .where(TriggerFiring.fired_at > firing.fired_at - span)
    )
    return [Chosen(*row) for row in rows]


def priority_of(rules: RuleSet, firing: TriggerFiring) -> int:
    """Return the priority of the rule that fired; the lowest there is for one that is gone."""
    spec = rules.spec_of(firing.rule_id, firing.rule_key)
    return spec.priority if spec else -1


def is_outranked(session: Session, rules: RuleSet, firing: TriggerFiring, now: datetime) -> bool:
    """Whether another firing of the customer in the journey comes before this one.

    That is one of higher priority which is undecided yet, or one that was held out at this very moment: were it
    called, this firing would be merged into its call task, and the two arms must not differ in who else calls.
    """
    others = session.exec(
        select(TriggerFiring)
        .where(TriggerFiring.customer_id == firing.customer_id)
        .where(TriggerFiring.journey == firing.journey)
        .where(TriggerFiring.id != firing.id)
        .where(
            (col(TriggerFiring.fate).is_(None) & (col(TriggerFiring.tries) < MAX_TRIES))
            | ((col(TriggerFiring.fate) == FiringFate.HELD_OUT) & (col(TriggerFiring.decided_at) == now))
        )
    )
    mine = priority_of(rules, firing)
    return any(one.fate is not None or priority_of(rules, one) > mine for one in others)


def is_cooling(session: Session, cool_down: CoolDown | None, firing: TriggerFiring) -> bool:
    """Whether a firing comes too soon after the customer became a call task, or was held out, before."""
    if cool_down is None:
        return False
    earlier = chosen_before(session, firing, cool_down.longest)
    return cool_down.forbids(firing.rule_key, firing.journey, firing.fired_at, earlier)
