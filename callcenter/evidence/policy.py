"""Which ledgers the chain seals, what of a row its hash covers, and the limits of sealing."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger and the columns that its rows' hashes cover, in this order for ever: first id, then the row's time.

    A ledger that gets another column goes on under another `name` (`suppression/2`) with its rows from then on:
    what is sealed is never sealed anew.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    condition: str = "true"
    look_back: int | None = 20_000
    """How many ids behind the newest sealed one the tick looks for rows that were committed late; None: all."""


def _ledger(table: str, columns: str, condition: str = "true", look_back: int | None = 20_000) -> Ledger:
    return Ledger(table, table, tuple(columns.split()), condition, look_back)


LEDGERS = (
    _ledger(
        "screening_decision",
        "id asked_at for_at point customer_id firing_id call_task_id purpose campaign may_call reasons"
        " next_allowed_at policy_version facts",
    ),
    _ledger(
        "suppression",
        "id created_at kind scope customer_id number_hash key_fingerprint purpose campaign source reason proof"
        " created_by expires_at lifts_id",
    ),
    _ledger(
        "consent",
        "id created_at act customer_id purpose text_version proof source at expires_at created_by",
    ),
    _ledger("audit_entry", "id at user_id act subject detail"),
    _ledger(
        "compliance_change",
        "id decided_at kind payload why state asked_at asked_by decided_by decision_note",
        "state <> 'waiting'",
        None,
    ),
)

SEAL_AT_ONCE = 5_000
"""Rows one transaction seals."""
VERIFY_AT_ONCE = 20_000
REMOVE_AT_ONCE = 20_000
LATE = timedelta(hours=1)
"""No transaction of the product takes so long: a row that came into the chain behind rows this much younger was
put in afterwards."""
MOST_FINDINGS = 100
"""So many are named one by one; the others are counted."""
PAST_KEEPING = "ledger.past_keeping"
"""The act of the audit entry that says which rows were removed because their time was over."""
VERIFIED = "ledger.verified"
"""The act of the nightly audit entry that says whether what was sealed since the last one is as it was sealed."""
WALKED_WHOLE_EVERY = timedelta(days=30)
"""So often the nightly verifying walks along the whole chain; the other nights only behind the last good head."""
KEPT = "ledger.kept"
"""The act of the daily audit entry that names the head of the chain."""
