"""Who stands behind the versions of rules, and how many customers a new version would meet."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from callcenter.models import User, Visit


def names_of(session: Session, ids: Iterable[UUID | None]) -> Mapping[UUID, str]:
    """Return the names of these users."""
    wanted = {one for one in ids if one}
    return (
        dict(session.exec(select(User.id, User.name).where(col(User.id).in_(wanted))).all()) if wanted else {}
    )


def visits_open_on(session: Session, journey: str, step: str) -> int:
    """Count the visits that are open on a step."""
    counted = select(func.count()).select_from(Visit).where(Visit.journey == journey, Visit.step == step)
    return session.exec(counted.where(col(Visit.closed_at).is_(None))).one()
