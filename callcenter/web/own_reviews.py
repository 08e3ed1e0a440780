"""Reviews of an agent's calls, in the agent's words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session, col, select

from callcenter.models import Agent, ContactAttempt, Customer, Review, Scorecard
from callcenter.quality import queries
from callcenter.quality.policy import DISPUTED_WITHIN
from callcenter.quality.rules import ReviewState, state_of
from callcenter.web.pages.own import OwnReview
from callcenter.web.quality_view import question_rows
from callcenter.web.quality_words import STATES, tone_of, user_names

SHOWN_FOR = timedelta(days=30)


def own_reviews(session: Session, agent: Agent, now: datetime) -> tuple[OwnReview, ...]:
    """Return the reviews of an agent's calls of the last month, the newest first."""
    rows = queries.reviews_of_agent(session, agent.id, now - SHOWN_FOR)
    if not rows:
        return ()
    cards, people = queries.scorecards_of(session, rows), user_names(session)
    calls = {
        attempt: (at, name or gettext("Unknown name"))
        for attempt, at, name in session.exec(
            select(ContactAttempt.id, ContactAttempt.claimed_at, Customer.name)
            .join(Customer, col(Customer.id) == col(ContactAttempt.customer_id))
            .where(col(ContactAttempt.id).in_([one.attempt_id for one in rows]))
        )
    }
    return tuple(_one(one, cards[one.scorecard_id], people, calls, now) for one in rows)


def _one(
    one: Review,
    card: Scorecard,
    people: Mapping[str, str],
    calls: Mapping[UUID, tuple[datetime, str]],
    now: datetime,
) -> OwnReview:
    state = state_of(one.acknowledged_at, one.disputed_at, one.settled_at)
    is_open = state is ReviewState.NEW
    called_at, customer = calls[one.attempt_id]
    return OwnReview(
        id=str(one.id),
        score=one.score,
        tone=tone_of(one.score, card.pass_mark),
        state=state.value,
        state_label=str(STATES[state]),
        reviewer=people.get(str(one.reviewer_id), gettext("Somebody")),
        at=one.at,
        called_at=called_at,
        customer=customer,
        comment=one.comment,
        dispute=one.dispute,
        may_acknowledge=is_open,
        may_dispute=is_open and one.seq == 1 and now - one.at <= DISPUTED_WITHIN,
        questions=question_rows(card, one.marks, one.remarks),
    )
