"""Reads of scorecards and reviews."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session, col, select

from callcenter.models import Agent, Review, ReviewPlan, Scorecard, User
from callcenter.quality.policy import A_WEEK
from callcenter.quality.rules import Load

_DONE = text("""
SELECT agent_id, count(*) AS reviewed,
       count(*) FILTER (WHERE because NOT IN ('random', 'chosen')) AS risky
  FROM review WHERE at >= :since AND seq = 1 GROUP BY agent_id
""")
_LATEST = text("""
SELECT DISTINCT ON (attempt_id) id FROM review
 WHERE at >= :since AND at <= :until ORDER BY attempt_id, seq DESC
""")


def scorecards_in_use(session: Session) -> Sequence[Scorecard]:
    """List the scorecards in use, the oldest first."""
    return session.exec(
        select(Scorecard).where(col(Scorecard.ended_at).is_(None)).order_by(Scorecard.key)
    ).all()


def scorecards_all(session: Session) -> Sequence[Scorecard]:
    """List every version of every scorecard, the newest version first."""
    return session.exec(select(Scorecard).order_by(Scorecard.key, col(Scorecard.version).desc())).all()


def plan_now(session: Session) -> int:
    """Return how many calls of each agent are to be reviewed in a week."""
    row = session.exec(select(ReviewPlan).order_by(col(ReviewPlan.set_at).desc()).limit(1)).first()
    return row.a_week if row else A_WEEK


def loads_since(session: Session, week_start: datetime) -> dict[UUID, Load]:
    """Return for each agent what was reviewed of their calls this week, of how many there should be."""
    quota = plan_now(session)
    done = {row.agent_id: row for row in session.execute(_DONE, {"since": week_start})}
    agents = session.exec(
        select(Agent.id).join(User, col(User.id) == col(Agent.id)).where(col(User.is_active))
    )
    return {
        one: Load(one, done[one].reviewed, done[one].risky, quota) if one in done else Load(one, 0, 0, quota)
        for one in agents
    }


def reviews_of_attempt(session: Session, attempt_id: UUID) -> Sequence[Review]:
    """Return the reviews of a call, the first one first."""
    return session.exec(select(Review).where(Review.attempt_id == attempt_id).order_by(col(Review.seq))).all()


def reviews_open(session: Session, limit: int = 50) -> Sequence[Review]:
    """List the disputed reviews that nobody has settled, the oldest first."""
    return session.exec(
        select(Review)
        .where(col(Review.disputed_at).is_not(None))
        .where(col(Review.settled_at).is_(None))
        .order_by(col(Review.disputed_at))
        .limit(limit)
    ).all()


def reviews_lately(session: Session, limit: int = 50) -> Sequence[Review]:
    """List the latest reviews."""
    return session.exec(select(Review).order_by(col(Review.at).desc()).limit(limit)).all()


def reviews_of_agent(session: Session, agent_id: UUID, since: datetime, limit: int = 10) -> Sequence[Review]:
    """List an agent's latest reviews since a moment."""
    return session.exec(
        select(Review)
        .where(Review.agent_id == agent_id, col(Review.at) >= since)
        .order_by(col(Review.at).desc())
        .limit(limit)
    ).all()


def reviews_counting(session: Session, since: datetime, until: datetime) -> Sequence[Review]:
    """List the reviews of a period that count: of each call the last one."""
    ids = [row.id for row in session.execute(_LATEST, {"since": since, "until": until})]
    return session.exec(select(Review).where(col(Review.id).in_(ids))).all()


def scorecards_of(session: Session, reviews: Sequence[Review]) -> Mapping[UUID, Scorecard]:
    """Return the scorecards by which these reviews were written."""
    wanted = {one.scorecard_id for one in reviews}
    return {row.id: row for row in session.exec(select(Scorecard).where(col(Scorecard.id).in_(wanted)))}
