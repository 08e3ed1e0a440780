"""What is kept of a person whose data was erased, why, and until when."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter.db import cursor_of, id_array_of

_COUNTS = """
SELECT (SELECT count(*) FROM contact_attempt WHERE customer_id = ANY(%(ids)s::uuid[])),
       (SELECT count(*) FROM screening_decision WHERE customer_id = ANY(%(ids)s::uuid[])),
       (SELECT max(asked_at) FROM screening_decision WHERE customer_id = ANY(%(ids)s::uuid[])),
       (SELECT count(*) FROM consent WHERE customer_id = ANY(%(ids)s::uuid[])),
       (SELECT count(*) FROM suppression WHERE customer_id = ANY(%(ids)s::uuid[])),
       (SELECT count(*) FROM audit_entry WHERE subject IN (
          SELECT word || one::text FROM unnest(%(ids)s::uuid[]) AS one, (VALUES (''), ('customer ')) AS words (word)
          UNION ALL SELECT id::text FROM contact_attempt WHERE customer_id = ANY(%(ids)s::uuid[])
          UNION ALL SELECT word || id::text FROM call_task, (VALUES (''), ('call task ')) AS words (word)
           WHERE customer_id = ANY(%(ids)s::uuid[])))
"""
_NO_END = "no date: the product does not remove them"


def what_is_kept(
    session: Session, ids: Collection[UUID], keeping: timedelta, recordings: int
) -> dict[str, Any]:
    """Count what stays of these people. None of it bears a name or a number."""
    row = cursor_of(session).execute(_COUNTS, {"ids": id_array_of(ids)}).fetchone()
    assert row is not None
    attempts, decisions, last_asked_at, consents, suppressions, entries = row
    last = (last_asked_at + keeping).date().isoformat() if last_asked_at else None
    kept = {
        "attempts": _kept(
            attempts,
            "proof of when and how often they were called, with results and dispositions; numbers are tokens",
            _NO_END,
        ),
        "screening_decisions": _kept(decisions, "proof that each call was allowed", last),
        "consents": _kept(
            consents, "proof that calls had a legal basis, with what was given as proof", _NO_END
        ),
        "suppressions": _kept(
            suppressions,
            "so that they stay uncalled; numbers are keyed hashes",
            "as long as they are in force",
        ),
        "audit_entries": _kept(entries, "proof of who did what", _NO_END),
        "events": _kept(None, "that something happened on a step, when: nothing it said", _NO_END),
    }
    if recordings:
        kept["recordings"] = _kept(
            recordings, "they lie with the carrier: delete them there; the export names them", None
        )
    return kept


def _kept(rows: int | None, why: str, until: str | None) -> dict[str, Any]:
    return {"rows": rows, "why": why, "until": until}
