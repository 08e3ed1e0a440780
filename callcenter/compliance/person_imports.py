"""Import what a file says of customers: whom not to call, and what they consented to. All in one transaction.

Customers are named by the bank's own id. One we have not met yet is kept as well: the entry waits for them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from uuid import UUID

from sqlmodel import Session

from callcenter.compliance.consent_events import MAX_TEXT, ConsentDraft
from callcenter.compliance.csv_lines import ListFile, Refusals, open_list
from callcenter.compliance.ledgers import NewSuppression, add_consents, check_entry
from callcenter.db import cursor_of, id_array_of
from callcenter.domain.enums import ConsentAct, Purpose
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput

PORTION = 10_000
MAX_ID = 256
CONSENT_COLUMNS = ("customer_id", "purpose", "text_version", "given_at", "expires_at", "proof")
_PURPOSES = {purpose.value for purpose in Purpose}
OnProgress = Callable[[int, int], None]


@dataclass
class ImportedPeople:
    """What became of the lines: `read` is the sum of accepted, known before, and refused ones.

    `strangers` are those accepted of customers we have not met yet.
    """

    read: int = 0
    accepted: int = 0
    known: int = 0
    strangers: int = 0


# Two imports at once would both find an entry missing.
_LOCK = "SELECT pg_advisory_xact_lock(5110)"
_STRANGERS = """
SELECT count(*) FROM unnest(%(ids)s::uuid[]) AS one (id)
 WHERE NOT EXISTS (SELECT FROM customer c WHERE c.id = one.id)
"""
_ADD = """
INSERT INTO suppression (kind, scope, customer_id, purpose, campaign, source, reason, proof, created_at, created_by,
                         expires_at)
SELECT %(kind)s::text, %(scope)s::text, one.id, %(purpose)s::text, %(campaign)s::text, %(source)s::text, %(reason)s,
       %(proof)s, %(now)s, %(by)s, %(expires_at)s::timestamptz
  FROM unnest(%(ids)s::uuid[]) AS one (id)
 WHERE NOT EXISTS (
   SELECT FROM suppression s
    WHERE s.customer_id = one.id AND s.kind = %(kind)s::text AND s.scope = %(scope)s::text AND s.lifts_id IS NULL
      AND s.purpose IS NOT DISTINCT FROM %(purpose)s::text AND s.campaign IS NOT DISTINCT FROM %(campaign)s::text
      AND s.source = %(source)s::text AND s.expires_at IS NOT DISTINCT FROM %(expires_at)s::timestamptz
      AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id))
RETURNING customer_id
"""


def import_people(
    session: Session,
    path: Path,
    column: str,
    entry: NewSuppression,
    refusals: Refusals,
    now: datetime,
    on_progress: OnProgress | None = None,
) -> ImportedPeople:
    """Add an entry like `entry` for each customer of a file; those that stand already are not added again.

    Raises BadInput when the file is no such list or has no valid line.
    """
    check_entry(entry, now, is_for_many=True)
    report = ImportedPeople()
    cursor = cursor_of(session)
    cursor.execute(_LOCK)
    limits = {
        name: getattr(entry, name) for name in ("campaign", "source", "reason", "proof", "expires_at", "by")
    }
    asked = {
        **limits,
        "kind": entry.kind.value,
        "scope": entry.scope.value,
        "purpose": entry.purpose and entry.purpose.value,
        "now": now,
    }
    with open_list(path) as file:
        people = _people(file, column, report, refusals)
        while portion := list(islice(people, PORTION)):
            ids = id_array_of(dict.fromkeys(portion))
            added = [row[0] for row in cursor.execute(_ADD, {**asked, "ids": ids})]
            _count(session, report, len(portion), added)
            if on_progress:
                on_progress(file.bytes_read, file.size)
    _check_some(path, report)
    return report


def import_consents(
    session: Session,
    path: Path,
    source: str,
    refusals: Refusals,
    now: datetime,
    by: UUID | None = None,
    on_progress: OnProgress | None = None,
) -> ImportedPeople:
    """Keep the consents in a file of the columns `CONSENT_COLUMNS`; one that is kept already is not doubled.

    Raises BadInput when the file is no such list or has no valid line.
    """
    if not source.strip() or len(source) > MAX_TEXT or "\x00" in source:
        raise BadInput("--source: say where the consents come from")
    report = ImportedPeople()
    cursor_of(session).execute(_LOCK)
    with open_list(path) as file:
        consents = _consents(file, source, report, refusals, now)
        while portion := list(islice(consents, PORTION)):
            added = add_consents(session, portion, now, by)
            report.accepted += added
            report.known += len(portion) - added
            report.strangers += _strangers(session, [one.customer_id for one in portion])
            if on_progress:
                on_progress(file.bytes_read, file.size)
    _check_some(path, report)
    return report


def _people(file: ListFile, column: str, report: ImportedPeople, refusals: Refusals) -> Iterator[UUID]:
    (place,) = file.places([column])
    for line, cells, refused in file.rows():
        report.read += 1
        who = cells[place].strip() if refused is None else ""
        if refused is None and 0 < len(who) <= MAX_ID:
            yield derived_id("customer", who)
        else:
            refusals.add(line, refused or "no_customer")


def _consents(
    file: ListFile, source: str, report: ImportedPeople, refusals: Refusals, now: datetime
) -> Iterator[ConsentDraft]:
    places = file.places(CONSENT_COLUMNS)
    for line, cells, refused in file.rows():
        report.read += 1
        code: ConsentDraft | str = refused or _consent(
            [cells[place].strip() for place in places], source, now
        )
        if isinstance(code, str):
            refusals.add(line, code)
        else:
            yield code


def _consent(cells: list[str], source: str, now: datetime) -> ConsentDraft | str:
    """Return the consent a line tells of, or why it tells of none."""
    who, purpose, version, given, ends, proof = cells
    if not 0 < len(who) <= MAX_ID:
        return "no_customer"
    if purpose.lower() not in _PURPOSES:
        return "unknown_purpose"
    if not version or not proof:
        return "no_proof" if version else "no_text_version"
    if max(len(version), len(proof)) > MAX_TEXT:
        return "too_long"
    try:
        at, expires_at = _moment(given), _moment(ends) if ends else None
    except (ValueError, OverflowError):
        return "bad_time"
    if at > now:
        return "future_time"
    if expires_at is not None and expires_at <= at:
        return "consent_ended"
    customer_id = derived_id("customer", who)
    return ConsentDraft(
        ConsentAct.GIVEN, customer_id, Purpose(purpose.lower()), at, source, version, proof, expires_at
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)


def _count(session: Session, report: ImportedPeople, lines: int, added: list[UUID]) -> None:
    report.accepted += len(added)
    report.known += lines - len(added)
    report.strangers += _strangers(session, added)


def _strangers(session: Session, people: list[UUID]) -> int:
    found = cursor_of(session).execute(_STRANGERS, {"ids": id_array_of(set(people))}).fetchone()
    return int(found[0]) if found else 0


def _check_some(path: Path, report: ImportedPeople) -> None:
    if not report.accepted + report.known:
        raise BadInput(f"{path.name} has no valid line; nothing has changed")
