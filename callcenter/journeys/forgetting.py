"""Forget what a person's visits remember of them; that they were on these steps, and when, stays."""

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of
from callcenter.domain.enums import VisitEnd

_KEYS = "SELECT DISTINCT journey_key FROM visit WHERE customer_id = ANY(%(ids)s::uuid[])"
_LOCK = "SELECT FROM visit WHERE customer_id = ANY(%(ids)s::uuid[]) ORDER BY id FOR UPDATE"
_FORGET = """
UPDATE visit SET facts = '{}', facts_at = '{}', marks = '{}', last_error_reason = NULL, wake_at = NULL,
       journey_key = COALESCE(%(veils)s::jsonb->>journey_key, journey_key),
       closed_at = COALESCE(closed_at, %(now)s), "end" = COALESCE("end", %(end)s)
 WHERE customer_id = ANY(%(ids)s::uuid[])
"""


def lock_visits(session: Session, ids: Collection[UUID]) -> set[str]:
    """Lock people's visits until the commit; return the journey keys they bear."""
    asked = {"ids": id_array_of(ids)}
    cursor_of(session).execute(_LOCK, asked)
    return {row[0] for row in cursor_of(session).execute(_KEYS, asked)}


def forget_visits(
    session: Session, ids: Collection[UUID], veils: Mapping[str, str], now: datetime
) -> dict[str, int]:
    """Empty people's visits and close those that are open: no rule looks at them any more."""
    asked = {
        "ids": id_array_of(ids),
        "veils": orjson.dumps(veils).decode(),
        "now": now,
        "end": VisitEnd.EXIT,
    }
    return {"visits": cursor_of(session).execute(_FORGET, asked).rowcount}
