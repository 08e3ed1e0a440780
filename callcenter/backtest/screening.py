"""What would the compliance gate have said to a back-test's calls? It is asked, and nothing is kept."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.backtest.values import Firing, sorted_since
from callcenter.compliance.queries import facts_of_customers
from callcenter.compliance.rules import screen_customer
from callcenter.domain.contact import ContactPolicy, CustomerFacts
from callcenter.domain.enums import BarReason
from callcenter.models import Customer

_AT_ONCE = 5_000
_NOBODY = CustomerFacts(None, False, (), False, False, ())


@dataclass(frozen=True)
class Screened:
    """The gate's answers: how many firings might be called at once, wait for their hour, or are barred for good.

    `barred_customers` are those none of whose calls is ever allowed. A firing may have several reasons.
    """

    policy_version: str | None
    allowed: int
    waiting: int
    barred: int
    barred_customers: int
    reasons: Mapping[BarReason, int]
    reason_customers: Mapping[BarReason, int]


def screen_firings(
    session: Session, firings: Sequence[Firing], policy: ContactPolicy | None, now: datetime
) -> Screened:
    """Ask the gate about each firing at the moment it fires, by the policy and the facts of today.

    Of today are numbers, time zones, frozen customers and the do-not-call list. Calls that were made before a
    firing count for its caps, and so do those the gate would have allowed for earlier firings of the customer.
    """
    facts = _facts_of(session, {one.customer_id for one in firings}, firings, now)
    called: dict[str, list[datetime]] = {}
    verdicts = Counter[str]()
    reasons: list[tuple[BarReason, str]] = []
    barred: set[str] = set()
    hopeful: set[str] = set()
    for one in sorted_since(firings, None):
        known = facts.get(one.customer_id, _NOBODY)
        mine = called.setdefault(one.customer_id, [])
        attempts = (*(at for at in known.attempts_at if at <= one.fired_at), *mine)
        verdict = screen_customer(replace(known, attempts_at=tuple(sorted(attempts))), policy, one.fired_at)
        if verdict.may_call:
            mine.append(one.fired_at)
        lifts = verdict.may_call or verdict.next_allowed_at is not None
        verdicts["allowed" if verdict.may_call else "waiting" if lifts else "barred"] += 1
        (hopeful if lifts else barred).add(one.customer_id)
        reasons += [(reason, one.customer_id) for reason in verdict.reasons]
    return Screened(
        policy_version=policy.version if policy else None,
        allowed=verdicts["allowed"],
        waiting=verdicts["waiting"],
        barred=verdicts["barred"],
        barred_customers=len(barred - hopeful),
        reasons=Counter(reason for reason, _ in reasons),
        reason_customers=Counter(reason for reason, _ in set(reasons)),
    )


def _facts_of(
    session: Session, customer_ids: Collection[str], firings: Sequence[Firing], now: datetime
) -> dict[str, CustomerFacts]:
    found: dict[str, CustomerFacts] = {}
    first = min((one.fired_at for one in firings), default=now)
    for ids in _some_of(sorted(customer_ids)):
        customers = session.exec(select(Customer).where(col(Customer.id).in_(ids))).all()
        today = facts_of_customers(session, customers, now)
        # Calls are read so far back from a moment: from the first firing, to know all that came before any.
        back_then = facts_of_customers(session, customers, first)
        found |= {
            str(one.id): replace(today[one.id], attempts_at=back_then[one.id].attempts_at)
            for one in customers
        }
        for one in customers:
            session.expunge(one)
    return found


def _some_of(customer_ids: Sequence[str]) -> Iterator[list[UUID]]:
    rest = iter(customer_ids)
    while some := [UUID(one) for one in islice(rest, _AT_ONCE)]:
        yield some
