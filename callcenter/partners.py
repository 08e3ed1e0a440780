"""What the bank's other systems do here: tell of customers, ask for calls, promise times, bar calls.

Verbs as in the pipeline, and beside it: each takes a session, ids or frozen values and `now`, and commits
nothing. Each act is in the audit trail under the name of the token that asked for it. The gate is asked as
for every call task; no other system can open one that it bars.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import merging, moves, outbox, pipeline
from callcenter.accounts import service as accounts
from callcenter.calltasks import by_hand as tasks_by_hand
from callcenter.calltasks import queries as task_queries
from callcenter.compliance import ledgers
from callcenter.compliance.ledgers import NewSuppression
from callcenter.domain.contact import Verdict
from callcenter.domain.enums import CancelReason, OutboxKind, Purpose, ScreeningPoint, TaskState
from callcenter.domain.journey import JourneyDefinition, VisitRecord
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.intake import directory
from callcenter.intake.directory import Refused, Told
from callcenter.journeys import by_hand as visits_by_hand
from callcenter.journeys import queries as journey_queries
from callcenter.models import Callback, CallTask, Customer, Suppression, TriggerFiring
from callcenter.moves import House
from callcenter.outcomes import by_hand as callbacks_by_hand
from callcenter.outcomes import service as outcomes
from callcenter.triggers import by_hand as firings_by_hand
from callcenter.triggers.policy import DEFAULT_MAX_AGE, DEFAULT_WINDOW, RuleSpec, read_rule

LONGEST_AGE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Partner:
    """The token by which another system is known here; or a person who brings a list of customers in its place."""

    token_id: int | None
    name: str
    user_id: UUID | None = None


class OpenTaskExists(Conflict):
    """The customer has an open call task in this journey already."""

    code = "open_task_exists"


class CustomerUnknown(NotFound):
    """The bank has not told us of this customer."""

    code = "unknown_customer"


def _record(session: Session, by: Partner, act: str, subject: str, now: datetime, **detail: object) -> None:
    if by.token_id is not None:
        detail = {"token": by.name, "token_id": by.token_id, **detail}
    accounts.record(session, by.user_id, act, subject, now, **detail)


# -- customers ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Stored:
    """A customer that was told and is kept now."""

    customer_id: UUID
    is_new: bool


def tell_customers(
    session: Session, by: Partner, told: Sequence[Told], now: datetime
) -> list[Stored | Refused]:
    """Create or change customers; return, in their order, what became of each. A wrong one harms no other."""
    refused = [directory.check_told(one) for one in told]
    good = [one for one, wrong in zip(told, refused, strict=True) if wrong is None]
    kept = directory.keep_told(session, good, now)
    if good:
        subject = str(kept[good[0].external_id][0]) if len(told) == 1 else "customers"
        _record(session, by, "customer.told", subject, now, stored=len(good), refused=len(told) - len(good))
    return [wrong or Stored(*kept[one.external_id]) for one, wrong in zip(told, refused, strict=True)]


def lock_named(session: Session, external_id: str) -> Customer:
    """Lock the customer the bank knows by this id. Raises CustomerUnknown."""
    found = directory.customer_named(session, external_id)
    if found is None:
        raise CustomerUnknown("There is no customer of this id. Send the customer first.")
    return moves.lock_customer(session, found.id)


def change_tags(
    session: Session,
    by: Partner,
    external_id: str,
    now: datetime,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> Customer:
    """Add tags to a customer and take others away; twice changes nothing."""
    customer = lock_named(session, external_id)
    wanted = [one for one in [*customer.tags, *add] if one not in remove]
    if list(dict.fromkeys(wanted)) != customer.tags:
        directory.set_tags(customer, wanted, now)
        _record(session, by, "customer.tagged", str(customer.id), now, tags=len(customer.tags))
    return customer


# -- call tasks --------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A call that somebody asks for: whom, about which step of which journey, why in a few words, until when."""

    external_id: str
    journey: str
    step: str | None = None
    reason: str = ""
    priority: int = 50
    purpose: Purpose = Purpose.SERVICE
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Barred:
    """The gate says no, with all reasons; `next_allowed_at` is None where waiting does not help."""

    reasons: tuple[str, ...]
    next_allowed_at: datetime | None = None


def ask_for_call(
    session: Session, house: House, by: Partner, wanted: Wanted, now: datetime
) -> CallTask | Barred:
    """Open a call task by hand. Nobody is held out, and no effect is measured on it.

    Raises BadInput, CustomerUnknown, and OpenTaskExists when the customer has one in this journey.
    """
    definition = journey_of(session, wanted.journey)
    _check(wanted, definition, now)
    customer = lock_named(session, wanted.external_id)
    verdict = moves.screen_opening(session, house, customer, wanted.purpose, wanted.journey, now)
    if is_barred(verdict, wanted.expires_at):
        return _barred(verdict)
    firing, step = _firing(session, by, customer, wanted, now)
    if task_queries.open_task_of(session, customer.id, wanted.journey):
        raise OpenTaskExists("This customer has an open call task in this journey. Cancel it, or wait.")
    spec = _spec(wanted, definition, step, verdict.next_allowed_at or now)
    task = pipeline.open_call_task(session, house, spec, firing, customer, verdict, now)
    _record(session, by, "call_task.asked_for", f"call task {task.id}", now, journey=task.journey)
    outbox.ring(session, outbox.FLOOR)
    return task


def is_barred(verdict: Verdict, expires_at: datetime | None) -> bool:
    """Whether the gate says no for as long as the call would be wanted."""
    if verdict.may_call:
        return False
    again_at = verdict.next_allowed_at
    return again_at is None or (expires_at is not None and again_at >= expires_at)


def journey_of(session: Session, journey: str) -> JourneyDefinition:
    """Return a journey that is loaded. Raises BadInput with those there are."""
    known = journey_queries.journeys_loaded(session)
    if journey not in known:
        there = ", ".join(known) or "none yet"
        raise BadInput(f"There is no such journey; there is {there}.", {"journey": [f"one of: {there}"]})
    return known[journey]


def check_step(definition: JourneyDefinition, step: str | None) -> None:
    """Raise BadInput when a step is none that a call can be about."""
    if step is not None and (step not in definition.order or step == definition.goal):
        steps = ", ".join(one for one in definition.order if one != definition.goal)
        raise BadInput(
            f"There is no such step to call about; there is {steps}.", {"step": [f"one of: {steps}"]}
        )


def _check(wanted: Wanted, definition: JourneyDefinition, now: datetime) -> None:
    check_step(definition, wanted.step)
    if wanted.expires_at is not None and not now < wanted.expires_at <= now + LONGEST_AGE:
        text = f"a time within the next {LONGEST_AGE.days} days"
        raise BadInput(f"Choose {text} for the call to expire.", {"expires_at": [text]})


def _firing(
    session: Session, by: Partner, customer: Customer, wanted: Wanted, now: datetime
) -> tuple[TriggerFiring, str]:
    """Store why the call is made: in the visit the customer is on, where there is one, else in one of its own."""
    source = "api" if by.user_id is None else "list"
    facts: dict[str, Any] = {"source": source, "asked_by": by.name, "asked_for": wanted.reason}
    visit = visits_by_hand.open_on(session, customer.id, wanted.journey, wanted.step)
    step = wanted.step or (visit.state.step if visit else None)
    if step is None:
        raise BadInput(
            "This customer is on no step of this journey now. Name the step the call is about.",
            {"step": ["needed"]},
        )
    if visit is not None:
        firing = firings_by_hand.fire_by_hand(session, visit, step, facts, now)
        if firing is not None:
            _watch(session, visit, firing, now)
            return firing, step
    own = visits_by_hand.begin_without_events(session, customer.id, wanted.journey, step, now)
    firing = firings_by_hand.fire_by_hand(session, own, step, facts, now)
    assert firing is not None
    return firing, step


def _watch(session: Session, visit: VisitRecord, firing: TriggerFiring, now: datetime) -> None:
    """Watch what the customer then does, as after any firing."""
    goal = journey_of(session, visit.journey).order[firing.step] + 1
    outcomes.watch(
        session, firing.id, visit.customer_id, visit.journey, visit.journey_key, goal, DEFAULT_WINDOW, now
    )


def _spec(wanted: Wanted, definition: JourneyDefinition, step: str, starts_at: datetime) -> RuleSpec:
    raw = {"rule": "by-hand", "journey": wanted.journey, "step": step, "preset": "moment"}
    max_age = wanted.expires_at - starts_at if wanted.expires_at else DEFAULT_MAX_AGE
    spec = read_rule(raw, definition)
    return replace(spec, purpose=wanted.purpose, priority=wanted.priority, max_age=max_age)


def _barred(verdict: Verdict) -> Barred:
    return Barred(tuple(map(str, verdict.reasons)), verdict.next_allowed_at)


def end_task(
    session: Session, by: Partner, call_task_id: UUID, reason: CancelReason, now: datetime
) -> CallTask:
    """Cancel a call task that waits or is being offered. Raises NotFound, and Conflict once it was dialed."""
    task = _lock_task(session, call_task_id)
    if task.state not in (TaskState.PENDING, TaskState.RESERVED):
        raise Conflict("This call task has been dialed or has ended; it can no longer be canceled.")
    moves.cancel_task(session, task, reason, now)
    _record(session, by, "call_task.canceled", f"call task {task.id}", now, reason=reason.value)
    return task


def _lock_task(session: Session, call_task_id: UUID) -> CallTask:
    known = session.get(CallTask, call_task_id)
    if known is None:
        raise NotFound("There is no such call task.")
    moves.lock_customer(session, known.customer_id)
    task = task_queries.lock_task(session, call_task_id)
    assert task is not None
    return task


# -- callbacks ---------------------------------------------------------------------------------------------


def promise_call(
    session: Session, house: House, by: Partner, call_task_id: UUID, at: datetime, said: str, now: datetime
) -> Callback | Barred:
    """Promise a waiting task's customer a call at a time the gate allows."""
    if not now < at <= now + LONGEST_AGE:
        text = f"a time within the next {LONGEST_AGE.days} days"
        raise BadInput(f"Choose {text}.", {"at": [text]})
    task = _lock_task(session, call_task_id)
    if task.state != TaskState.PENDING:
        raise Conflict("This call task is with an agent or has ended. Look at it again.")
    customer = moves.lock_customer(session, task.customer_id)
    verdict = moves.screen_task(session, house, task, customer, ScreeningPoint.CALLBACK, now, for_at=at)
    if not verdict.may_call:
        return _barred(verdict)
    tasks_by_hand.promise(task, at)
    merging.read_callback_script(session, house, task, customer)
    row = callbacks_by_hand.keep_promise(session, task.id, customer.id, at, said, now)
    outbox.hand_over(session, OutboxKind.OFFER_CALL_TASK, task.id, now, due_at=at)
    _record(session, by, "callback.promised", f"call task {task.id}", now, callback_id=str(row.id))
    outbox.ring(session, outbox.FLOOR)
    return row


def withdraw_callback(session: Session, by: Partner, callback_id: UUID, now: datetime) -> Callback:
    """Take a promised call back: its call task ends with it. Raises NotFound, Conflict."""
    row = session.get(Callback, callback_id)
    if row is None:
        raise NotFound("There is no such callback.")
    task = _lock_task(session, row.call_task_id)
    session.refresh(row)
    if row.closed_at is not None or task.state not in (TaskState.PENDING, TaskState.RESERVED):
        raise Conflict("This callback has been kept or taken back.")
    moves.cancel_task(session, task, CancelReason.WITHDRAWN, now)
    _record(session, by, "callback.withdrawn", f"call task {task.id}", now, callback_id=str(row.id))
    session.refresh(row)
    return row


# -- do not call -------------------------------------------------------------------------------------------


def bar(
    session: Session, house: House, by: Partner, new: NewSuppression, external_id: str | None, now: datetime
) -> Suppression:
    """Put a customer, a number or both into the suppression ledger; effective before the next dial."""
    if external_id is not None:
        new = replace(new, customer_id=lock_named(session, external_id).id)
    row = ledgers.add_suppression(session, house.gate.number_key, new, now)
    about = str(row.customer_id) if row.customer_id else None
    _record(
        session,
        by,
        "suppression.added",
        f"suppression {row.id}",
        now,
        kind=new.kind.value,
        scope=new.scope.value,
        customer_id=about,
    )
    outbox.ring(session, outbox.FLOOR)
    return row
