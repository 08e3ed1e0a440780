"""Call tasks handed over, as agents and supervisors see them; read only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, text
from sqlmodel import Session

from callcenter.domain.enums import TransferState

_SHOWN = 20
_TRANSFERS = """
SELECT x.id, x.call_task_id, x.state, x.reason, x.note, x.answer, x.asked_at, x.expires_at, x.ended_at,
       g.name AS giver, r.name AS receiver, x.to_team, d.name AS decided_by, k.name AS taken_by,
       c.name AS customer, t.journey, t.step, t.state AS task_state
  FROM task_transfer x
  JOIN call_task t ON t.id = x.call_task_id
  JOIN customer c ON c.id = t.customer_id
  JOIN app_user g ON g.id = x.from_agent_id
  LEFT JOIN app_user r ON r.id = x.to_agent_id
  LEFT JOIN app_user d ON d.id = x.decided_by
  LEFT JOIN app_user k ON k.id = x.taken_by
"""
_OWN = text(
    _TRANSFERS
    + """
 WHERE x.from_agent_id = :agent AND x.noted_at IS NULL
 ORDER BY x.ended_at IS NULL DESC, x.asked_at DESC LIMIT :shown
"""
)
_ASKED = text(_TRANSFERS + " WHERE x.state = 'asked' AND x.ended_at IS NULL ORDER BY x.asked_at, x.id")
_OF_TASK = text(
    _TRANSFERS
    + """
 WHERE x.call_task_id = :task AND x.state IN ('on_its_way', 'taken') ORDER BY x.asked_at DESC LIMIT 1
"""
)
_COLLEAGUES = text("""
SELECT g.id, u.name, g.team, g.presence, g.work_state
  FROM agent g JOIN app_user u ON u.id = g.id
 WHERE g.id <> :agent AND u.is_active
 ORDER BY g.presence = 'signed_off', u.name, g.id
""")


@dataclass(frozen=True, slots=True)
class TransferNow:
    """A transfer with the names of who takes part; times as they are kept."""

    id: UUID
    call_task_id: UUID
    state: TransferState
    reason: str
    note: str
    answer: str
    asked_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    giver: str
    receiver: str | None
    to_team: str | None
    decided_by: str | None
    taken_by: str | None
    customer: str | None
    journey: str
    step: str
    task_state: str


def _read(row: Row[tuple[object, ...]]) -> TransferNow:
    values = row._asdict()
    return TransferNow(**{**values, "state": TransferState(values["state"])})


def transfers_of(session: Session, agent_id: UUID) -> list[TransferNow]:
    """List what an agent has handed over and not taken notice of: what is on its way first, then the newest."""
    return [_read(row) for row in session.execute(_OWN, {"agent": agent_id, "shown": _SHOWN})]


def transfers_asked(session: Session) -> list[TransferNow]:
    """List the transfers that wait for a supervisor's word, the longest waiting first."""
    return [_read(row) for row in session.execute(_ASKED)]


def transfer_to_here(session: Session, call_task_id: UUID) -> TransferNow | None:
    """Return the latest transfer that brought a call task to whoever has it now."""
    row = session.execute(_OF_TASK, {"task": call_task_id}).first()
    return _read(row) if row else None


def colleagues(session: Session, agent_id: UUID) -> Sequence[Row[tuple[object, ...]]]:
    """List the other agents who work here, those signed on first, then by name."""
    return session.execute(_COLLEAGUES, {"agent": agent_id}).all()
