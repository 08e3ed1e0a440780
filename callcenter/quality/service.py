"""Keep scorecards and reviews."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.domain.ids import derived_id
from callcenter.domain.quality import Mark, ReviewReason
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import ContactAttempt, Review, ReviewPlan, Scorecard
from callcenter.quality.policy import MOST_A_WEEK
from callcenter.quality.rules import MOST_REMARK, NewScorecard, problems_of, question_of, score_of


def keep_scorecard(session: Session, card: NewScorecard, user_id: UUID | None, now: datetime) -> Scorecard:
    """Put a scorecard in use as a new version; reviews of the versions before stay as they are.

    Raises BadInput that names what is wrong.
    """
    if problems := problems_of(card):
        raise BadInput(
            "Give the scorecard a name and from 1 to 40 questions, weights and pass mark from 1 to 100.",
            problems,
        )
    versions = session.exec(
        select(Scorecard).where(Scorecard.key == card.key).order_by(col(Scorecard.version)).with_for_update()
    ).all()
    for one in versions:
        one.ended_at = one.ended_at or now
    session.flush()
    version = versions[-1].version + 1 if versions else 1
    row = Scorecard(
        id=derived_id("scorecard", card.key, version),
        key=card.key,
        version=version,
        title=dict(card.title),
        questions=[one.written() for one in card.questions],
        pass_mark=card.pass_mark,
        made_at=now,
        made_by=user_id,
    )
    session.add(row)
    session.flush()
    return row


def end_scorecard(session: Session, scorecard_id: UUID, now: datetime) -> Scorecard:
    """Take a scorecard out of use; reviews by it stay."""
    row = session.get(Scorecard, scorecard_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such scorecard.")
    if row.ended_at is not None:
        raise Conflict("This version is no longer in use. Look at the scorecards again.")
    row.ended_at = now
    return row


def set_plan(session: Session, a_week: int, user_id: UUID, now: datetime) -> None:
    """Set how many calls of each agent are reviewed in a week. Raises BadInput."""
    if not 1 <= a_week <= MOST_A_WEEK:
        raise BadInput("Reviews a week for each agent are a whole number from 1 to 50.")
    session.add(ReviewPlan(set_at=now, a_week=a_week, set_by=user_id))
    session.flush()


def keep_review(
    session: Session,
    attempt: ContactAttempt,
    scorecard: Scorecard,
    seq: int,
    because: ReviewReason,
    marks: Mapping[str, Mark],
    remarks: Mapping[str, str],
    comment: str,
    reviewer_id: UUID,
    now: datetime,
) -> Review:
    """Keep what was found of a call. Raises BadInput when no question is marked, Conflict when it is reviewed."""
    questions = [question_of(one) for one in scorecard.questions]
    known = {one.id: marks.get(one.id, Mark.NOT_ASKED) for one in questions}
    score = score_of(questions, known)
    if score is None:
        raise BadInput("Mark at least one question.", {"marks": ["none is marked"]})
    assert attempt.agent_id is not None
    row_id = derived_id("review", attempt.id, seq)
    if session.get(Review, row_id) is not None:
        raise Conflict("Somebody has reviewed this call in the meantime. Look at it again.")
    row = Review(
        id=row_id,
        attempt_id=attempt.id,
        seq=seq,
        agent_id=attempt.agent_id,
        scorecard_id=scorecard.id,
        because=because,
        marks={key: mark.value for key, mark in known.items()},
        remarks={key: text.strip()[:MOST_REMARK] for key, text in remarks.items() if text.strip()},
        comment=comment.strip()[: 2 * MOST_REMARK],
        score=score.value,
        failed=list(score.failed),
        reviewer_id=reviewer_id,
        at=now,
    )
    session.add(row)
    session.flush()
    return row


def lock_review(session: Session, review_id: UUID) -> Review:
    """Return a review as the database has it now, locked until the commit. Raises NotFound."""
    row = session.get(Review, review_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such review.")
    return row


def lock_reviews_of(session: Session, attempt_id: UUID) -> Sequence[Review]:
    """Return the reviews of a call, the first one first, locked until the commit."""
    return session.exec(
        select(Review)
        .where(Review.attempt_id == attempt_id)
        .order_by(col(Review.seq))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def acknowledge(row: Review, now: datetime) -> bool:
    """Note that the agent has read it and agrees; False when they had."""
    if row.acknowledged_at is not None:
        return False
    row.acknowledged_at = now
    return True


def dispute(row: Review, why: str, now: datetime) -> None:
    """Note that the agent disagrees, and why."""
    row.disputed_at, row.dispute = now, why


def settle(row: Review, now: datetime) -> None:
    """Note that a second review has settled it."""
    row.settled_at = now
