"""Forget what people wrote down of a person's calls; what was chosen, promised and reached stays."""

from collections.abc import Collection, Mapping
from uuid import UUID

import orjson
from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of

_THEIRS = "SELECT id FROM contact_attempt WHERE customer_id = ANY(%(ids)s::uuid[])"
_NOTES = f"UPDATE disposition SET note = '' WHERE note <> '' AND attempt_id IN ({_THEIRS})"  # noqa: S608
_WISHES = f"UPDATE product_suggestion SET text = '' WHERE text <> '' AND attempt_id IN ({_THEIRS})"  # noqa: S608
_CALLBACKS = "UPDATE callback SET said = '' WHERE said <> '' AND customer_id = ANY(%(ids)s::uuid[])"
_FOLLOW_UPS = "UPDATE follow_up SET text = '' WHERE text <> '' AND customer_id = ANY(%(ids)s::uuid[])"
_CHECKS = f"UPDATE disposition_check SET reason = '' WHERE reason <> '' AND attempt_id IN ({_THEIRS})"  # noqa: S608
_OUTCOMES = """
UPDATE outcome SET facts = '{}', journey_key = COALESCE(%(veils)s::jsonb->>journey_key, journey_key)
 WHERE customer_id = ANY(%(ids)s::uuid[])
"""


def forget_notes(session: Session, ids: Collection[UUID], veils: Mapping[str, str]) -> dict[str, int]:
    """Empty agents' notes, wishes they took down, why tags were corrected, words of callbacks and
    follow-ups, and the facts of outcomes."""
    cursor = cursor_of(session)
    theirs = {"ids": id_array_of(ids)}
    return {
        "notes": cursor.execute(_NOTES, theirs).rowcount,
        "suggestions": cursor.execute(_WISHES, theirs).rowcount,
        "checks": cursor.execute(_CHECKS, theirs).rowcount,
        "callbacks": cursor.execute(_CALLBACKS, theirs).rowcount,
        "follow_ups": cursor.execute(_FOLLOW_UPS, theirs).rowcount,
        "outcomes": cursor.execute(_OUTCOMES, {**theirs, "veils": orjson.dumps(veils).decode()}).rowcount,
    }
