"""Looking at people rather than at numbers: who is behind a figure, and one customer's story. Who looked is kept.

Verbs as in the pipeline, and beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.accounts import service as accounts
from callcenter.errors import NotFound
from callcenter.learning.people import Counted, people_counted
from callcenter.learning.windows import Part, Window
from callcenter.models import Customer
from callcenter.reporting.analyses.asked import Question
from callcenter.reporting.analyses.run import Behind, PersonBehind, people_behind, sampled
from callcenter.reporting.person_story import Moment, story_of


@dataclass(frozen=True, slots=True)
class PeopleBehind:
    """The people behind a number, the latest active first; `count` are all of them among those counted."""

    people: Sequence[PersonBehind]
    customers: Mapping[UUID, Customer]
    count: int
    question: Question


def list_people(
    session: Session, asked: Question, behind: Behind, user_id: UUID, now: datetime, spans: int = 1
) -> PeopleBehind:
    """List the people behind a number of an analysis. `spans` is how many weeks the number was counted beside."""
    asked = sampled(session, asked, spans)
    people, count = people_behind(session, asked, behind)
    ids = {one.customer_id for one in people}
    rows = session.exec(select(Customer).where(col(Customer.id).in_(ids))).all()
    accounts.record(
        session,
        user_id,
        "people.listed",
        asked.journey,
        now,
        model=asked.model.value,
        row=behind.label or "",
        group=behind.group,
        people=len(people),
    )
    return PeopleBehind(people, {one.id: one for one in rows}, count, asked)


@dataclass(frozen=True, slots=True)
class PeopleCounted:
    """The customers behind a count of a rule, the latest fired first; `count` is how many firings it is."""

    people: Sequence[Counted]
    customers: Mapping[UUID, Customer]
    count: int


def list_people_counted(
    session: Session, rule_key: str, part: Part, window: Window, user_id: UUID, now: datetime
) -> PeopleCounted:
    """List the customers behind one count of a rule's firings."""
    people, count = people_counted(session, rule_key, part, window)
    ids = {one.customer_id for one in people}
    rows = session.exec(select(Customer).where(col(Customer.id).in_(ids))).all()
    told = {"model": "effect", "row": part.value, "group": rule_key, "people": len(people)}
    accounts.record(session, user_id, "people.listed", rule_key, now, **told)
    return PeopleCounted(people, {one.id: one for one in rows}, count)


def look_at_person(
    session: Session, customer_id: UUID, user_id: UUID, now: datetime
) -> tuple[Customer, Sequence[Moment]]:
    """Return a customer with what happened. Raises NotFound where there is none, or it was erased."""
    customer = session.get(Customer, customer_id)
    if customer is None or customer.erased_at is not None:
        raise NotFound("There is no such customer, or their data was erased.")
    accounts.record(session, user_id, "people.viewed", str(customer_id), now)
    return customer, story_of(session, customer_id)
