"""Move the entries of numbers in the ledger from a former key to the one in use.

A hash does not tell its number. Those of numbers we know, because a customer has or had them or they were
dialed, are found by hashing what we know under the former key; the others stay, and bar everything.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from callcenter.compliance.number_key import fingerprint_of
from callcenter.compliance.numbers import hash_number
from callcenter.db import cursor_of

SOURCE = "new number key"
_PORTION = 5_000
_STANDING = """
SELECT s.id, s.number_hash FROM suppression s
 WHERE s.key_fingerprint = %(former)s AND s.lifts_id IS NULL AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
   AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id)
"""
_NUMBERS = "SELECT number FROM customer WHERE number IS NOT NULL UNION SELECT to_number FROM contact_attempt"
_COLUMNS = "kind, scope, customer_id, purpose, campaign"
_KEEP_ANEW = f"""
WITH moved AS (
  INSERT INTO suppression ({_COLUMNS}, number_hash, key_fingerprint, source, reason, proof, created_at,
                           created_by, expires_at)
  SELECT {_COLUMNS}, %(hash)s, %(key)s, source, reason, proof, created_at, created_by, expires_at
    FROM suppression WHERE id = %(id)s)
INSERT INTO suppression ({_COLUMNS}, number_hash, key_fingerprint, source, reason, proof, created_at, lifts_id)
SELECT {_COLUMNS}, number_hash, key_fingerprint, %(source)s, 'kept anew under the key in use', '', %(now)s, id
  FROM suppression WHERE id = %(id)s
"""  # noqa: S608  only names of columns


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """How many entries are kept anew under the key in use, and those whose number nobody here knows."""

    moved: int
    left: tuple[int, ...]


def rekey_entries(session: Session, former: bytes, key: bytes, now: datetime) -> Rekeyed:
    """Keep every standing entry of a known number anew under `key`, as old as it is, and lift the former one."""
    cursor = cursor_of(session)
    by_hash: dict[bytes, list[int]] = {}
    for entry, number_hash in cursor.execute(_STANDING, {"former": fingerprint_of(former), "now": now}):
        by_hash.setdefault(bytes(number_hash), []).append(entry)
    if not by_hash:
        return Rekeyed(0, ())
    moved = []
    numbers = cursor.execute(_NUMBERS)
    while portion := numbers.fetchmany(_PORTION):
        for (number,) in portion:
            moved += [(entry, number) for entry in by_hash.pop(hash_number(former, number), ())]
    for entry, number in moved:
        asked = {"id": entry, "hash": hash_number(key, number), "key": fingerprint_of(key)}
        cursor.execute(_KEEP_ANEW, {**asked, "source": SOURCE, "now": now})
    left = (entry for entries in by_hash.values() for entry in entries)
    return Rekeyed(len(moved), tuple(sorted(left)))
