"""What would the compliance gate have said to a back-test's calls? It is asked, and nothing is kept."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.backtest.values import Firing, sorted_since
from callcenter.compliance.packs import PackBook
from callcenter.compliance.queries import ProposedCall, facts_of_calls
from callcenter.compliance.rules import screen_customer
from callcenter.domain.contact import CustomerFacts
from callcenter.domain.enums import BarReason, Purpose
from callcenter.models import Customer

_AT_ONCE = 5_000
_NOBODY = CustomerFacts(None, None, frozenset(), ())


@dataclass(frozen=True)
class Screened:
    """The gate's answers: how many firings might be called at once, wait for their hour, or are barred for good.

    `calls_at` is when each that is not barred might first be called.
    `barred_customers` are those none of whose calls is ever allowed. A firing may have several reasons.
    """

    policy_version: str | None
    allowed: int
    waiting: int
    barred: int
    barred_customers: int
    reasons: Mapping[BarReason, int]
    reason_customers: Mapping[BarReason, int]
    calls_at: Sequence[datetime] = ()


@dataclass(frozen=True)
class Screening:
    """By what a back-test's calls are judged: the packs in force (None: every call is barred), the number key."""

    book: PackBook | None
    number_key: bytes


@dataclass(frozen=True, slots=True)
class _Asked:
    purpose: Purpose
    campaign: str
    screening: Screening

    def calls(self, customers: Sequence[Customer]) -> list[ProposedCall]:
        return [ProposedCall(one, self.purpose, self.campaign) for one in customers]


def screen_firings(
    session: Session,
    firings: Sequence[Firing],
    purpose: Purpose,
    campaign: str,
    screening: Screening,
    now: datetime,
) -> Screened:
    """Ask the gate about each firing at the moment it fires, by the packs and the facts of today.

    Of today are numbers, time zones, frozen customers, consents and the suppression ledger. Calls that were made
    before a firing count for its caps, and so do those the gate would have allowed for earlier firings of the
    customer.
    """
    asked = _Asked(purpose, campaign, screening)
    facts = _facts_of(session, {one.customer_id for one in firings}, firings, asked, now)
    policies = Counter[str]()
    called: dict[str, list[datetime]] = {}
    verdicts = Counter[str]()
    reasons: list[tuple[BarReason, str]] = []
    barred: set[str] = set()
    hopeful: set[str] = set()
    calls_at: list[datetime] = []
    for one in sorted_since(firings, None):
        known = facts.get(one.customer_id, _NOBODY)
        mine = called.setdefault(one.customer_id, [])
        policy = screening.book.policy(known.regions, purpose, now) if screening.book else None
        policies[policy.version if policy else ""] += 1
        verdict = screen_customer(_as_of(known, mine, one.fired_at), policy, one.fired_at)
        if verdict.may_call:
            mine.append(one.fired_at)
        first = one.fired_at if verdict.may_call else verdict.next_allowed_at
        if first is not None:
            calls_at.append(first)
        lifts = verdict.may_call or verdict.next_allowed_at is not None
        verdicts["allowed" if verdict.may_call else "waiting" if lifts else "barred"] += 1
        (hopeful if lifts else barred).add(one.customer_id)
        reasons += [(reason, one.customer_id) for reason in verdict.reasons]
    return Screened(
        policy_version=policies.most_common(1)[0][0] or None if policies else None,
        allowed=verdicts["allowed"],
        waiting=verdicts["waiting"],
        barred=verdicts["barred"],
        barred_customers=len(barred - hopeful),
        reasons=Counter(reason for reason, _ in reasons),
        reason_customers=Counter(reason for reason, _ in set(reasons)),
        calls_at=calls_at,
    )


def _as_of(known: CustomerFacts, mine: Sequence[datetime], at: datetime) -> CustomerFacts:
    """Return what was known of a customer at a moment, with the calls that earlier firings would have led to."""
    person, number = (
        tuple(sorted((*(one for one in attempts if one <= at), *mine)))
        for attempts in (known.person_attempts_at, known.number_attempts_at)
    )
    return replace(known, person_attempts_at=person, number_attempts_at=number, newest_record_at=None)


def _facts_of(
    session: Session,
    customer_ids: Collection[str],
    firings: Sequence[Firing],
    asked: _Asked,
    now: datetime,
) -> dict[str, CustomerFacts]:
    found: dict[str, CustomerFacts] = {}
    first = min((one.fired_at for one in firings), default=now)
    for ids in _some_of(sorted(customer_ids)):
        customers = session.exec(select(Customer).where(col(Customer.id).in_(ids))).all()
        calls = asked.calls(customers)
        today = facts_of_calls(session, calls, asked.screening.number_key, now)
        # Calls are read so far back from a moment: from the first firing, to know all that came before any.
        back_then = facts_of_calls(session, calls, asked.screening.number_key, first)
        found |= {
            str(one.id): replace(
                known,
                person_attempts_at=before.person_attempts_at,
                number_attempts_at=before.number_attempts_at,
            )
            for one, known, before in zip(customers, today, back_then, strict=True)
        }
        for one in customers:
            session.expunge(one)
    return found


def _some_of(customer_ids: Sequence[str]) -> Iterator[list[UUID]]:
    rest = iter(customer_ids)
    while some := [UUID(one) for one in islice(rest, _AT_ONCE)]:
        yield some
