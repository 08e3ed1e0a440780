"""Ask the gate about customers and keep every answer; keep the do-not-call list."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter.compliance.queries import facts_of_customers
from callcenter.compliance.rules import screen_customer
from callcenter.domain.contact import ContactPolicy, CustomerFacts, Verdict
from callcenter.domain.enums import ScreeningPoint
from callcenter.models import Customer, DoNotCallEntry, ScreeningDecision


def screen(
    session: Session,
    customers: Sequence[Customer],
    policy: ContactPolicy | None,
    point: ScreeningPoint,
    now: datetime,
    *,
    firing_id: UUID | None = None,
    call_task_id: UUID | None = None,
) -> dict[UUID, Verdict]:
    """Ask the gate about each customer and store each answer with its facts.

    At the dial the customer's row must be locked, so that two dials cannot both find the budget free.
    """
    facts = facts_of_customers(session, customers, now)
    verdicts: dict[UUID, Verdict] = {}
    for customer in customers:
        verdict = screen_customer(facts[customer.id], policy, now)
        verdicts[customer.id] = verdict
        session.add(
            ScreeningDecision(
                asked_at=now,
                point=point,
                customer_id=customer.id,
                firing_id=firing_id,
                call_task_id=call_task_id,
                may_call=verdict.may_call,
                reasons=list(verdict.reasons),
                next_allowed_at=verdict.next_allowed_at,
                policy_version=verdict.policy_version,
                facts=_facts_document(facts[customer.id]),
            )
        )
    return verdicts


def _facts_document(facts: CustomerFacts) -> dict[str, object]:
    """Return the facts as they are kept: no number, only whether it is one we may dial."""
    return {
        "is_number_valid": facts.is_number_valid,
        "time_zones": [zone.key for zone in facts.time_zones],
        "on_do_not_call_list": facts.on_do_not_call_list,
        "is_frozen": facts.is_frozen,
        "attempts_at": [at.isoformat() for at in facts.attempts_at],
    }


def bar_for_good(session: Session, customer: Customer, source: str, reason: str, now: datetime) -> None:
    """Put a customer and their number on the do-not-call list, effective before the next dial."""
    session.add(
        DoNotCallEntry(
            customer_id=customer.id, number=customer.number, source=source, reason=reason, created_at=now
        )
    )
    session.flush()
