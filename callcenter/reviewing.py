"""Calls reviewed with a scorecard: questions set, calls reviewed, reviews answered by their agents and settled.

Verbs as in the pipeline, and beside it for its length: each takes a session, ids and `now`, and commits nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlmodel import Session

from callcenter import outbox
from callcenter.accounts import service as accounts
from callcenter.domain.quality import Mark, ReviewReason
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import ContactAttempt, Review, Scorecard
from callcenter.quality import service as quality
from callcenter.quality.policy import DISPUTED_WITHIN
from callcenter.quality.rules import NewScorecard, ReviewState, state_of, why_no_second


def adopt_scorecard(session: Session, card: NewScorecard, user_id: UUID | None, now: datetime) -> Scorecard:
    """Put a scorecard in use, as a new version where there is one. Raises BadInput."""
    row = quality.keep_scorecard(session, card, user_id, now)
    detail = {"version": row.version, "questions": len(row.questions), "pass_mark": row.pass_mark}
    accounts.record(session, user_id, "scorecard.adopted", row.key, now, **detail)
    return row


def end_scorecard(session: Session, scorecard_id: UUID, user_id: UUID, now: datetime) -> None:
    """Take a scorecard out of use. Raises NotFound, Conflict."""
    row = quality.end_scorecard(session, scorecard_id, now)
    accounts.record(session, user_id, "scorecard.ended", row.key, now, version=row.version)


def set_plan(session: Session, a_week: int, user_id: UUID, now: datetime) -> None:
    """Set how many calls of each agent are reviewed in a week. Raises BadInput."""
    quality.set_plan(session, a_week, user_id, now)
    accounts.record(session, user_id, "review.planned", "reviews", now, a_week=a_week)


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a reviewer found of a call: a mark and perhaps a remark for each question, and a comment."""

    scorecard_id: UUID
    marks: Mapping[str, Mark]
    remarks: Mapping[str, str] = field(default_factory=dict)
    comment: str = ""
    because: ReviewReason = ReviewReason.CHOSEN


def review_call(
    session: Session,
    attempt_id: UUID,
    found: Findings,
    reviewer_id: UUID,
    now: datetime,
    *,
    is_admin: bool = False,
) -> Review:
    """Keep what was found of a call; the second review, of a disputed one, counts and settles it.

    Raises NotFound, BadInput, and Conflict when the call cannot be reviewed or somebody has just done it.
    """
    attempt = session.get(ContactAttempt, attempt_id, with_for_update=True, populate_existing=True)
    if attempt is None:
        raise NotFound("There is no such attempt.")
    if attempt.ended_at is None or attempt.agent_id is None:
        raise Conflict("Only a call that an agent had and that has ended can be reviewed.")
    if attempt.agent_id == reviewer_id:
        raise Forbidden("Nobody reviews their own call.")
    card = session.get(Scorecard, found.scorecard_id)
    if card is None or card.ended_at is not None:
        raise Conflict("This scorecard has a newer version. Reload the page; write your marks down first.")
    before = quality.lock_reviews_of(session, attempt_id)
    because = found.because
    if before:
        first, last = before[0], before[-1]
        state = state_of(first.acknowledged_at, first.disputed_at, first.settled_at)
        if problem := why_no_second(state, last.reviewer_id, reviewer_id, is_admin=is_admin):
            raise Conflict(problem)
        because = ReviewReason.DISPUTED
        quality.settle(first, now)
    row = quality.keep_review(
        session,
        attempt,
        card,
        len(before) + 1,
        because,
        found.marks,
        found.remarks,
        found.comment,
        reviewer_id,
        now,
    )
    detail = {"attempt_id": str(attempt_id), "score": row.score, "seq": row.seq, "because": because.value}
    accounts.record(session, reviewer_id, "review.saved", str(row.id), now, **detail)
    outbox.ring(session, outbox.agent_channel(row.agent_id))
    return row


def acknowledge_review(session: Session, review_id: UUID, agent_id: UUID, now: datetime) -> None:
    """Note that the agent has read a review of their call and agrees; read already is fine."""
    row = _own(session, review_id, agent_id)
    if row.disputed_at is not None:
        raise Conflict("You have disputed this review. The second review settles it.")
    if quality.acknowledge(row, now):
        accounts.record(session, agent_id, "review.acknowledged", str(row.id), now)


def dispute_review(session: Session, review_id: UUID, why: str, agent_id: UUID, now: datetime) -> None:
    """Note that the agent disagrees with a review, and why; another supervisor then settles it."""
    row = _own(session, review_id, agent_id)
    if not why.strip():
        raise BadInput("Say in a word why you disagree; another supervisor reads it.", {"why": ["needed"]})
    state = state_of(row.acknowledged_at, row.disputed_at, row.settled_at)
    if row.seq > 1:
        raise Conflict("The second review settles the matter. Speak with your supervisor.")
    if state is not ReviewState.NEW:
        raise Conflict("You have answered this review already.")
    if now - row.at > DISPUTED_WITHIN:
        raise Conflict("A review can be disputed for two weeks. Speak with your supervisor.")
    quality.dispute(row, why.strip()[:1000], now)
    accounts.record(session, agent_id, "review.disputed", str(row.id), now)
    outbox.ring(session, outbox.FLOOR)


def _own(session: Session, review_id: UUID, agent_id: UUID) -> Review:
    row = quality.lock_review(session, review_id)
    if row.agent_id != agent_id:
        raise Forbidden("This review is of a colleague's call.")
    return row


def note_listened(session: Session, attempt_id: UUID, user_id: UUID, now: datetime) -> str | None:
    """Write down that somebody hears a call's recording; return its name at the carrier, None without one.

    Raises NotFound.
    """
    attempt = session.get(ContactAttempt, attempt_id)
    if attempt is None:
        raise NotFound("There is no such attempt.")
    if attempt.recording_ref:
        accounts.record(session, user_id, "recording.heard", str(attempt_id), now)
    return attempt.recording_ref
