"""Ask the gate about calls and keep every answer; keep the ledgers it decides by."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter.compliance.ledgers import NewSuppression, add_suppression
from callcenter.compliance.policies import Gate, look
from callcenter.compliance.queries import ProposedCall
from callcenter.compliance.rules import screen_customer
from callcenter.db import cursor_of
from callcenter.domain.contact import FOR_GOOD, ContactPolicy, CustomerFacts, Verdict
from callcenter.domain.enums import Purpose, ScreeningPoint, SuppressionKind, SuppressionScope
from callcenter.models import Customer, ScreeningDecision


def screen(
    session: Session,
    gate: Gate,
    calls: Sequence[ProposedCall],
    point: ScreeningPoint,
    now: datetime,
    *,
    for_at: datetime | None = None,
) -> list[Verdict]:
    """Ask the gate about each call, in order, and store each answer with its facts.

    `for_at`: ask about a later moment. At the dial the customer's row must be locked and the number be held
    (`hold_number`), so that two dials cannot both find the budget free.
    """
    at = for_at or now
    verdicts = []
    for call, (known, policy) in zip(calls, look(session, gate, calls, at), strict=True):
        verdict = screen_customer(known, policy, at)
        verdicts.append(verdict)
        session.add(
            ScreeningDecision(
                asked_at=now,
                for_at=at,
                point=point,
                customer_id=call.customer.id,
                firing_id=call.firing_id,
                call_task_id=call.call_task_id,
                purpose=known.purpose,
                campaign=known.campaign,
                may_call=verdict.may_call,
                reasons=list(verdict.reasons),
                next_allowed_at=verdict.next_allowed_at,
                policy_version=verdict.policy_version,
                facts=facts_document(known, policy),
            )
        )
    session.flush()
    return verdicts


def hold_number(session: Session, number: str) -> bool:
    """Keep a number for this transaction; False, at once, when another one holds it.

    Two people may have one number: their rows are two, and its budget is one.
    """
    asked = cursor_of(session).execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%(number)s, 5107))", {"number": number}
    )
    return bool((asked.fetchone() or (False,))[0])


def facts_document(facts: CustomerFacts, policy: ContactPolicy | None) -> dict[str, object]:
    """Return the facts as they are kept, and the figures they were held against: no number, no name."""
    campaign = facts.campaign_facts
    return {
        "number_kind": facts.number_kind,
        "regions": sorted(facts.regions),
        "time_zones": [zone.key for zone in facts.time_zones],
        "is_agent_guaranteed": facts.is_agent_guaranteed,
        "suppressions": [[one.kind, one.since.isoformat()] for one in facts.suppressions],
        "consents_until": [until and until.isoformat() for until in facts.consents_until],
        "is_frozen": facts.is_frozen,
        "person_attempts_at": [at.isoformat() for at in facts.person_attempts_at],
        "number_attempts_at": [at.isoformat() for at in facts.number_attempts_at],
        "talked_at": facts.talked_at and facts.talked_at.isoformat(),
        "abandoned_at": facts.abandoned_at and facts.abandoned_at.isoformat(),
        "campaign": [campaign.is_paused, campaign.live_answers_30d, campaign.abandoned_30d],
        "policy": _figures(policy) if policy else None,
    }


def _figures(policy: ContactPolicy) -> dict[str, object]:
    stop = policy.refusal_stop
    return {
        "caps": [[cap.calls, int(cap.window.total_seconds())] for cap in policy.caps],
        "minimum_gap_s": int(policy.minimum_gap.total_seconds()),
        "conversation_pause_s": int(policy.conversation_pause.total_seconds()),
        "refusal_stop_s": None if stop == FOR_GOOD else int(stop.total_seconds()),
        "needs_consent": policy.needs_consent,
    }


def bar_for_good(
    session: Session,
    gate: Gate,
    customer: Customer,
    source: str,
    reason: str,
    now: datetime,
    by: UUID | None = None,
) -> None:
    """Let nobody call a customer, nor their number, ever again; effective before the next dial."""
    bar = NewSuppression(
        kind=SuppressionKind.DO_NOT_CALL,
        customer_id=customer.id,
        number=customer.number,
        source=source,
        reason=reason,
        by=by,
    )
    add_suppression(session, gate.number_key, bar, now)


def note_refusal(
    session: Session,
    gate: Gate,
    customer: Customer,
    purpose: Purpose,
    campaign: str,
    source: str,
    now: datetime,
) -> None:
    """Keep that a customer said no to a campaign's offer: it is not made again for as long as the policy says."""
    refusal = NewSuppression(
        kind=SuppressionKind.REFUSAL,
        scope=SuppressionScope.CAMPAIGN,
        customer_id=customer.id,
        number=customer.number,
        purpose=purpose,
        campaign=campaign,
        source=source,
    )
    add_suppression(session, gate.number_key, refusal, now)
