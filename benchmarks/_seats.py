"""People of a benchmark's floor, as rows of the product's own models: nobody signs them on one by one."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import create_engine
from sqlmodel import Session, SQLModel

from callcenter.domain.enums import NotReadyReason, Presence, Role
from callcenter.domain.ids import derived_id
from callcenter.models.account import User
from callcenter.models.agent import Agent


def person(login: str, role: Role, at: datetime) -> User:
    """Return a user who cannot sign in by password; the id follows from the login."""
    name = login.replace("-", " ").title()
    return User(
        id=derived_id("user", login), login=login, name=name, role=role, password_hash="-", created_at=at
    )


def agent(of: UUID, team: str, presence: Presence, at: datetime) -> Agent:
    """Return an agent on a softphone, seen an hour from now, so that nothing takes them for gone meanwhile."""
    return Agent(
        id=of,
        team=team,
        address=f"client:agent_{of.hex}",
        presence=presence,
        not_ready_reason=NotReadyReason.ADMIN if presence is Presence.NOT_READY else None,
        presence_at=at,
        signed_on_at=at,
        seen_at=at + timedelta(hours=1),
        work_state_at=at,
    )


def store(database_url: str, *layers: Iterable[SQLModel]) -> None:
    """Write rows, each layer before the next, in one transaction."""
    engine = create_engine(database_url.replace("postgresql://", "postgresql+psycopg://", 1))
    with Session(engine, expire_on_commit=False) as session:
        for rows in layers:
            session.add_all(rows)
            session.flush()
        session.commit()
    engine.dispose()
