"""The key under which numbers stand in lists, and how a list made under another key is noticed.

Under another key no number is found in a list, and the list would bar nobody without a word. So every list
and every entry carries its key's fingerprint.
"""

import hashlib
import hmac
from datetime import datetime

from sqlmodel import Session

from callcenter.db import cursor_of
from callcenter.errors import ConfigError

_NAMED = b"fingerprint of a number key"
"""No telephone number, so the fingerprint is no number's hash."""
ENTRIES = "entries of numbers"
"""How the ledger's own entries are called beside the lists."""
UNREADABLE = """
SELECT key FROM suppression_list WHERE in_force AND key_fingerprint IS DISTINCT FROM %(mine)s
UNION ALL
SELECT NULL WHERE EXISTS (
  SELECT FROM suppression s
   WHERE number_hash IS NOT NULL AND (key_fingerprint < %(mine)s OR key_fingerprint > %(mine)s)
     AND lifts_id IS NULL AND (expires_at IS NULL OR expires_at > %(now)s)
     AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id))
"""


def fingerprint_of(key: bytes) -> str:
    """Return what names a key and does not tell it."""
    return hmac.digest(key, _NAMED, hashlib.sha256)[:8].hex()


def unreadable_lists(session: Session, key: bytes, now: datetime) -> list[str]:
    """Return the lists in force that were made under another key; `ENTRIES` stands for the ledger."""
    found = cursor_of(session).execute(UNREADABLE, {"mine": fingerprint_of(key), "now": now})
    return [name or ENTRIES for (name,) in found]


def check_number_key(session: Session, key: bytes, now: datetime) -> None:
    """Raise ConfigError when numbers stand in force that this key cannot find: nobody may be called then."""
    if not key:
        raise ConfigError("NUMBER_KEY is not set: suppression lists cannot be read, so nobody is called")
    if lists := unreadable_lists(session, key, now):
        raise ConfigError(
            f"NUMBER_KEY is not the key under which these suppression lists were made: {', '.join(lists)}. "
            "Nobody is called. Set the former key, or import the lists again under this one and run "
            "`callcenter suppress rekey` (docs/how-to-import-a-suppression-list.md)"
        )
