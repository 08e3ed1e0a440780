"""Forget what firings knew of a person; which rule fired, when, and what became of it stays."""

from collections.abc import Collection, Mapping
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of

_FORGET = """
UPDATE trigger_firing SET facts = '{}', journey_key = COALESCE(%(veils)s::jsonb->>journey_key, journey_key)
 WHERE customer_id = ANY(%(ids)s::uuid[])
"""


def forget_firings(session: Session, ids: Collection[UUID], veils: Mapping[str, str]) -> dict[str, int]:
    """Empty the facts of people's firings."""
    asked = {"ids": id_array_of(ids), "veils": orjson.dumps(veils).decode()}
    return {"firings": cursor_of(session).execute(_FORGET, asked).rowcount}
