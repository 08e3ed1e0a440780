"""What people look up of the gate: changes, decisions, budgets, and whether the clock was set back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from callcenter.compliance.rules import CLOCK_TOLERANCE
from callcenter.domain.contact import Cap, ContactPolicy, CustomerFacts
from callcenter.domain.enums import BarReason, ChangeState, ScreeningPoint
from callcenter.errors import Conflict, NotFound
from callcenter.models import (
    ComplianceChange,
    Customer,
    PackVersion,
    ScreeningDecision,
    Suppression,
    SuppressionList,
    User,
)

PAGE = 50
MOST_ROWS = 5_000
"""So many decisions a table to be kept holds at most."""


@dataclass(frozen=True, slots=True)
class ChangeRead:
    """A change with the people's names."""

    row: ComplianceChange
    asked_by: str
    decided_by: str | None


def changes(session: Session, *, waiting: bool, limit: int = PAGE) -> list[ChangeRead]:
    """Return the changes that wait, the oldest first, or those decided, the latest first."""
    wanted = _changes()
    if waiting:
        wanted = wanted.where(ComplianceChange.state == ChangeState.WAITING).order_by(
            col(ComplianceChange.asked_at), col(ComplianceChange.id)
        )
    else:
        wanted = wanted.where(ComplianceChange.state != ChangeState.WAITING).order_by(
            col(ComplianceChange.decided_at).desc(), col(ComplianceChange.id).desc()
        )
    return [ChangeRead(*one) for one in session.exec(wanted.limit(limit))]


def change(session: Session, change_id: int) -> ChangeRead:
    """Return one change. Raises NotFound."""
    found = session.exec(_changes().where(ComplianceChange.id == change_id)).first()
    if found is None:
        raise NotFound("There is no such change.")
    return ChangeRead(*found)


def _changes() -> Any:
    asker, decider = aliased(User), aliased(User)
    return (
        select(ComplianceChange, asker.name, decider.name)
        .join(asker, asker.id == ComplianceChange.asked_by)  # type: ignore[arg-type]
        .outerjoin(decider, decider.id == ComplianceChange.decided_by)  # type: ignore[arg-type]
    )


def count_waiting(session: Session) -> int:
    """How many changes wait for a decision."""
    found = session.execute(text("SELECT count(*) FROM compliance_change WHERE state = 'waiting'"))
    return int(found.scalar_one())


def entry_to_lift(session: Session, suppression_id: int) -> Suppression:
    """Return an entry of the suppression ledger that stands. Raises NotFound and Conflict."""
    entry = session.get(Suppression, suppression_id)
    if entry is None:
        raise NotFound("There is no such entry in the suppression ledger.")
    if entry.lifts_id is not None:
        raise Conflict("This entry lifts another one. Add the bar again instead.")
    if session.exec(select(Suppression.id).where(Suppression.lifts_id == suppression_id)).first():
        raise Conflict("This entry is lifted already.")
    return entry


def list_to_retire(session: Session, list_id: int) -> SuppressionList:
    """Return a list that is in force. Raises NotFound and Conflict."""
    row = session.get(SuppressionList, list_id)
    if row is None:
        raise NotFound("There is no such list.")
    if not row.in_force:
        raise Conflict("This list is not in force any more.")
    return row


def approvals(session: Session) -> list[tuple[PackVersion, str]]:
    """Return the pack versions put in force here with who agreed, oldest first."""
    wanted = select(PackVersion, User.name).join(User).order_by(col(PackVersion.id))
    return [(row, name) for row, name in session.exec(wanted)]


# -- decisions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sieve:
    """Which decisions are wanted. `before_id` goes on below a page."""

    customer_id: UUID | None = None
    call_task_id: UUID | None = None
    reason: BarReason | None = None
    point: ScreeningPoint | None = None
    may_call: bool | None = None
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


def decisions(session: Session, sieve: Sieve, limit: int = PAGE) -> list[ScreeningDecision]:
    """Return the gate's answers, the latest first."""
    row = ScreeningDecision
    wanted = select(row)
    asked: list[tuple[Any, Any]] = [
        (row.customer_id, sieve.customer_id),
        (row.call_task_id, sieve.call_task_id),
        (row.point, sieve.point),
        (row.may_call, sieve.may_call),
    ]
    for column, value in asked:
        if value is not None:
            wanted = wanted.where(column == value)
    if sieve.reason is not None:
        wanted = wanted.where(col(row.reasons).contains([sieve.reason.value]))
    if sieve.since is not None:
        wanted = wanted.where(row.asked_at >= sieve.since)
    if sieve.until is not None:
        wanted = wanted.where(row.asked_at < sieve.until)
    if sieve.before_id is not None:
        wanted = wanted.where(col(row.id) < sieve.before_id)
    return list(session.exec(wanted.order_by(col(row.id).desc()).limit(limit)))


def names_of(session: Session, customer_ids: Sequence[UUID]) -> Mapping[UUID, Customer]:
    """Return the customers with these ids."""
    found = session.exec(select(Customer).where(col(Customer.id).in_(customer_ids)))
    return {one.id: one for one in found}


@dataclass(frozen=True, slots=True)
class Lately:
    """The gate's answers since a moment: how many, how many allowed, and how often each reason barred."""

    asked: int = 0
    allowed: int = 0
    reasons: tuple[tuple[str, int], ...] = field(default=())


_LATELY = text(
    "SELECT count(*), count(*) FILTER (WHERE may_call) FROM screening_decision WHERE asked_at >= :since"
)
_REASONS = text("""
SELECT r.reason, count(*) FROM screening_decision d, jsonb_array_elements_text(d.reasons) AS r (reason)
 WHERE d.asked_at >= :since AND NOT d.may_call GROUP BY r.reason ORDER BY count(*) DESC, r.reason
""")


def lately(session: Session, since: datetime) -> Lately:
    """Count the answers since a moment by reason."""
    asked, allowed = session.execute(_LATELY, {"since": since}).one()
    reasons = tuple((reason, many) for reason, many in session.execute(_REASONS, {"since": since}))
    return Lately(asked, allowed, reasons)


@dataclass(frozen=True, slots=True)
class Ahead:
    """Records that lie ahead of the clock: the newest moment, and the last decision's id."""

    newest_at: datetime
    up_to_id: int


_AHEAD = text("""
SELECT max(asked_at), (SELECT max(id) FROM screening_decision) FROM screening_decision
 WHERE id > COALESCE((SELECT max((detail ->> 'up_to')::bigint) FROM audit_entry WHERE act = 'clock.confirmed'), 0)
""")


def records_ahead(session: Session, now: datetime) -> Ahead | None:
    """Return what lies ahead of the clock, which bars every call; None when nothing does."""
    newest_at, up_to = session.execute(_AHEAD).one()
    if newest_at is None or newest_at <= now + CLOCK_TOLERANCE:
        return None
    return Ahead(newest_at, up_to)


# -- budgets ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Budget:
    """One limit on how often: `used` of `calls` within `window`, and when it is free again (None: it is).

    `about`: person, number, gap or talk. A gap and the pause after a conversation have no count.
    """

    about: str
    window: timedelta
    calls: int | None = None
    used: int | None = None
    free_at: datetime | None = None


def budgets(facts: CustomerFacts, policy: ContactPolicy, now: datetime) -> list[Budget]:
    """Return every limit on how often a person and a number are called, and what is left of it."""
    found = [
        _cap(about, cap, attempts, now)
        for cap in policy.caps
        for about, attempts in (("person", facts.person_attempts_at), ("number", facts.number_attempts_at))
    ]
    latest = max((*facts.person_attempts_at, *facts.number_attempts_at), default=None)
    for about, span, since in (
        ("gap", policy.minimum_gap, latest),
        ("talk", policy.conversation_pause, facts.talked_at),
    ):
        if span:
            ends = since + span if since is not None and since > now - span else None
            found.append(Budget(about, span, free_at=ends))
    return found


def _cap(about: str, cap: Cap, attempts: Sequence[datetime], now: datetime) -> Budget:
    recent = sorted(at for at in attempts if at > now - cap.window)
    free_at = recent[-cap.calls] + cap.window if len(recent) >= cap.calls else None
    return Budget(about, cap.window, cap.calls, len(recent), free_at)
