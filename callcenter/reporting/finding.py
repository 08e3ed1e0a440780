"""Whom a supervisor looks for on the floor: customers with an open call task, anybody by id or number, agents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

MOST_FOUND = 20
LEAST_DIGITS = 4
"""Of a number, the last digits may be given: so many are shown to a supervisor of a masked one."""

_TASKS = text("""
SELECT t.id, t.customer_id, coalesce(c.name, c.external_id) AS customer, c.number, t.rule_key, t.state,
       u.name AS agent, greatest(t.created_at, t.not_before_at) AS since, t.why_no_call ->> 0 AS why
  FROM call_task t
  JOIN customer c ON c.id = t.customer_id
  LEFT JOIN app_user u ON u.id = t.agent_id
 WHERE t.state NOT IN ('completed', 'canceled')
   AND (c.name ILIKE :like OR c.external_id ILIKE :like OR c.number = :number
        OR (:digits <> '' AND right(c.number, length(:digits)) = :digits))
 ORDER BY since, t.id LIMIT :most
""")
_OTHERS = text("""
SELECT c.id, coalesce(c.name, c.external_id) AS customer, c.number, last.claimed_at AS called_at, last.result
  FROM customer c
  LEFT JOIN LATERAL (SELECT a.claimed_at, a.result FROM contact_attempt a
                      WHERE a.customer_id = c.id ORDER BY a.claimed_at DESC LIMIT 1) last ON true
 WHERE (c.external_id = :id OR c.number = :number) AND NOT c.id = ANY(:found)
 ORDER BY c.id LIMIT :most
""")
_AGENTS = text("""
SELECT a.id, u.name, a.team, a.presence, a.not_ready_reason, a.work_state, a.presence_at, a.work_state_at
  FROM agent a JOIN app_user u ON u.id = a.id AND u.is_active
 WHERE u.name ILIKE :like
 ORDER BY u.name, a.id LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class FoundTask:
    """An open call task of a customer looked for. `since` is from when it may be called."""

    id: UUID
    customer_id: UUID
    customer: str | None
    number: str | None
    rule_key: str
    state: str
    agent: str | None
    since: datetime
    why: str | None


@dataclass(frozen=True, slots=True)
class FoundCustomer:
    """A customer for whom nothing is open, and the last attempt to call them, if any."""

    id: UUID
    customer: str | None
    number: str | None
    called_at: datetime | None
    result: str | None


@dataclass(frozen=True, slots=True)
class FoundAgent:
    """An agent looked for, with both states and since when they are in them."""

    id: UUID
    name: str
    team: str
    presence: str
    not_ready_reason: str | None
    work_state: str
    presence_at: datetime
    work_state_at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, at most `MOST_FOUND` of each."""

    tasks: Sequence[FoundTask] = ()
    others: Sequence[FoundCustomer] = ()
    agents: Sequence[FoundAgent] = ()


def find(session: Session, words: str, number: str | None) -> Found:
    """Return customers and agents by part of a name, customers also by the bank's id or their number.

    `number` is what `words` say in international form; of a number the last four digits or more do. Only who has
    an open call task is found by name, so that nobody leafs through the bank's customers. In three queries.
    """
    words = words.replace("\x00", "").strip()
    if not words:
        return Found()
    digits = "".join(one for one in words if one.isascii() and one.isdigit())
    asked: dict[str, Any] = {
        "like": f"%{_escaped(words)}%",
        "id": words,
        "number": number,
        "digits": digits if len(digits) >= LEAST_DIGITS and not any(one.isalpha() for one in words) else "",
        "most": MOST_FOUND,
    }
    tasks = [FoundTask(**row._asdict()) for row in session.execute(_TASKS, asked)]
    found = [one.customer_id for one in tasks]
    others = [FoundCustomer(**row._asdict()) for row in session.execute(_OTHERS, asked | {"found": found})]
    return Found(tasks, others, [FoundAgent(**row._asdict()) for row in session.execute(_AGENTS, asked)])


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
