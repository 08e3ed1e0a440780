"""What the bank's other systems read of calls: page by page, in order of time, so that a reader can go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import Session, col, func, select

from callcenter.errors import NotFound
from callcenter.models import (
    Callback,
    CallTask,
    ContactAttempt,
    Customer,
    Disposition,
    ListImport,
    OfferGrant,
    Outcome,
    TriggerFiring,
)

Place = tuple[datetime, UUID]
"""Where a page ended: the time and id of its last row."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list: how many rows, after which place, since when."""

    limit: int
    after: Place | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """Narrows a list; None leaves it wide."""

    state: str | None = None
    journey: str | None = None
    external_id: str | None = None
    call_task_id: UUID | None = None
    is_open: bool | None = None


def _select(*columns: Any) -> Any:
    return select(*columns)


def _rows(session: Session, statement: Any, at: Any, key: Any, page: Page) -> list[Any]:
    """Return one row more than the page has, where there is one: then the list goes on."""
    if page.since is not None:
        statement = statement.where(at >= page.since)
    if page.after is not None:
        statement = statement.where(tuple_(at, key) > page.after)
    return list(session.execute(statement.order_by(at, key).limit(page.limit + 1)))


def _of_customer(statement: Any, asked: Asked) -> Any:
    return (
        statement if asked.external_id is None else statement.where(Customer.external_id == asked.external_id)
    )


def call_tasks(session: Session, asked: Asked, page: Page) -> Sequence[tuple[CallTask, str | None]]:
    """List call tasks with the bank's own id of their customer, in the order they were opened."""
    wanted = _select(CallTask, Customer.external_id).join(Customer, col(Customer.id) == CallTask.customer_id)
    if asked.state is not None:
        wanted = wanted.where(CallTask.state == asked.state)
    if asked.journey is not None:
        wanted = wanted.where(CallTask.journey == asked.journey)
    return _rows(session, _of_customer(wanted, asked), col(CallTask.created_at), col(CallTask.id), page)


def call_task(session: Session, call_task_id: UUID) -> tuple[CallTask, str | None]:
    """Return one call task with the bank's own id of its customer. Raises NotFound."""
    row = session.execute(
        _select(CallTask, Customer.external_id)
        .join(Customer, col(Customer.id) == CallTask.customer_id)
        .where(CallTask.id == call_task_id)
    ).first()
    if row is None:
        raise NotFound("There is no such call task.")
    return row[0], row[1]


def attempts(
    session: Session, asked: Asked, page: Page
) -> Sequence[tuple[ContactAttempt, str | None, Sequence[OfferGrant]]]:
    """List attempts in the order they were dialed, with what was granted on them, also what was taken back."""
    wanted = _select(ContactAttempt, Customer.external_id).join(
        Customer, col(Customer.id) == ContactAttempt.customer_id
    )
    if asked.call_task_id is not None:
        wanted = wanted.where(ContactAttempt.call_task_id == asked.call_task_id)
    rows = _rows(
        session, _of_customer(wanted, asked), col(ContactAttempt.claimed_at), col(ContactAttempt.id), page
    )
    granted: dict[UUID, list[OfferGrant]] = {row[0].id: [] for row in rows}
    for one in session.exec(
        select(OfferGrant)
        .where(col(OfferGrant.attempt_id).in_(granted))
        .order_by(col(OfferGrant.granted_at), col(OfferGrant.id))
    ):
        granted[one.attempt_id].append(one)
    return [(row[0], row[1], granted[row[0].id]) for row in rows]


def dispositions(
    session: Session, asked: Asked, page: Page
) -> Sequence[tuple[Disposition, UUID, UUID, str | None]]:
    """List what agents said, with task and customer, in the order it was saved."""
    wanted = (
        _select(Disposition, ContactAttempt.call_task_id, ContactAttempt.customer_id, Customer.external_id)
        .join(ContactAttempt, col(ContactAttempt.id) == Disposition.attempt_id)
        .join(Customer, col(Customer.id) == ContactAttempt.customer_id)
    )
    if asked.call_task_id is not None:
        wanted = wanted.where(ContactAttempt.call_task_id == asked.call_task_id)
    return _rows(session, _of_customer(wanted, asked), col(Disposition.at), col(Disposition.attempt_id), page)


def outcomes(session: Session, asked: Asked, page: Page) -> Sequence[tuple[Any, ...]]:
    """List conversions in the order they happened, with rule and fate of the firing, and its call task if any.

    That of a firing which was folded in is the one it was folded into.
    """
    wanted = (
        _select(
            Outcome,
            TriggerFiring.rule_key,
            TriggerFiring.fate,
            func.coalesce(CallTask.id, TriggerFiring.merged_into),
            Customer.external_id,
        )
        .join(TriggerFiring, col(TriggerFiring.id) == Outcome.firing_id)
        .join(Customer, col(Customer.id) == Outcome.customer_id)
        .join(CallTask, col(CallTask.firing_id) == Outcome.firing_id, isouter=True)
        .where(col(Outcome.converted_at).is_not(None))
    )
    if asked.journey is not None:
        wanted = wanted.where(Outcome.journey == asked.journey)
    return _rows(
        session, _of_customer(wanted, asked), col(Outcome.converted_at), col(Outcome.firing_id), page
    )


def callbacks(session: Session, asked: Asked, page: Page) -> Sequence[tuple[Callback, str | None]]:
    """List promised calls in the order they are due."""
    wanted = _select(Callback, Customer.external_id).join(Customer, col(Customer.id) == Callback.customer_id)
    if asked.is_open is not None:
        closed = col(Callback.closed_at)
        wanted = wanted.where(closed.is_(None) if asked.is_open else closed.is_not(None))
    if asked.call_task_id is not None:
        wanted = wanted.where(Callback.call_task_id == asked.call_task_id)
    return _rows(session, _of_customer(wanted, asked), col(Callback.due_at), col(Callback.id), page)


def lists(session: Session, page: Page) -> Sequence[tuple[ListImport]]:
    """List the lists that other systems sent, in their order."""
    wanted = select(ListImport).where(col(ListImport.token_id).is_not(None))
    return _rows(session, wanted, col(ListImport.created_at), col(ListImport.id), page)
