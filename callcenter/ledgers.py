"""What is done with the ledgers as evidence: sealed as they grow, kept as long as they must be, handed out.

Verbs as in the pipeline, and beside it: each takes a session and `now`, and commits nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

from sqlmodel import Session

from callcenter.accounts import service as accounts
from callcenter.evidence import service as evidence
from callcenter.evidence.export import Manifest, Wanted, write_export
from callcenter.evidence.policy import KEPT, PAST_KEEPING, SEAL_AT_ONCE, VERIFIED, WALKED_WHOLE_EVERY
from callcenter.evidence.queries import head_at, head_of_chain, last_verified, was_done_since
from callcenter.evidence.rules import Head, read_head
from callcenter.evidence.service import Removed
from callcenter.evidence.verify import Report, verify_chain
from callcenter.learning.learned import night_of


def seal_rows(session: Session, now: datetime) -> int:
    """Seal what the ledgers have gained, at most `PORTION` rows; return how many."""
    return evidence.seal(session, now)


PORTION = SEAL_AT_ONCE


def seal_everywhere(session: Session, now: datetime) -> int:
    """Seal a portion of all rows no link seals, however far behind the newest sealed ones they lie."""
    return evidence.seal(session, now, everywhere=True)


def remove_past_keeping(session: Session, keeping: timedelta, now: datetime) -> Removed | None:
    """Remove a portion of the screening decisions past their keeping, and say so in the audit trail."""
    removed = evidence.remove_past_keeping(session, now - keeping)
    if removed is not None:
        accounts.record(
            session,
            None,
            PAST_KEEPING,
            removed.ledger,
            now,
            ledger=removed.ledger,
            rows=removed.rows,
            through_id=removed.through_id,
            asked_before=(now - keeping).isoformat(),
        )
    return removed


@dataclass(frozen=True, slots=True)
class Day:
    """What a day's keeping came to: rows found far behind, and the head of the chain after it."""

    found_behind: int
    head: Head


def is_day_kept(session: Session, now: datetime) -> bool:
    """Whether the keeping of this day (UTC) was done already."""
    return was_done_since(session, KEPT, now.replace(hour=0, minute=0, second=0, microsecond=0))


def note_day_kept(session: Session, found_behind: int, now: datetime) -> Day | None:
    """Write the head of the chain into the audit trail, once a day; None when another process did."""
    if not evidence.stand_alone(session) or is_day_kept(session, now):
        return None
    head = head_of_chain(session)
    accounts.record(session, None, KEPT, "chain", now, head=str(head), found_behind=found_behind)
    return Day(found_behind, head)


def night_to_verify(session: Session, hour: int, now: datetime) -> datetime | None:
    """Return when the night began whose verifying is still to be done; None when it is done. `hour` is in UTC."""
    night = night_of(hour, now)
    return None if was_done_since(session, VERIFIED, night) else night


def verify_night(session: Session, now: datetime) -> tuple[Report, int]:
    """Walk along what was sealed since the last good night, and once in thirty days along the whole chain.

    The head that was good then must still be in the chain. Returns what was found, and behind which link it began.
    Read it in one snapshot; it writes nothing.
    """
    good, whole = last_verified(session, holds=True), last_verified(session, holds=True, whole=True)
    head = read_head(good[1]["head"]) if good else Head()
    is_whole = whole is None or now - whole[0] >= WALKED_WHOLE_EVERY
    expected = head if head.seq else None
    if is_whole or head_at(session, head.seq) is None:
        return verify_chain(session, now, expected=expected), 0
    return verify_chain(session, now, after=head.seq, expected=expected), head.seq


def note_verified(session: Session, report: Report, after: int, night: datetime, now: datetime) -> bool:
    """Write down what a night's verifying found, once; False when another process did. No row's content is told."""
    if not evidence.stand_alone(session) or was_done_since(session, VERIFIED, night):
        return False
    found: dict[str, object] = {
        "holds": report.holds,
        "head": str(report.head),
        "after": after,
        "links": report.links,
        "faults": report.faults,
        "findings": [one.text for one in report.findings[:MOST_TOLD]],
        "not_sealed": sum(report.stale.values()),
    }
    accounts.record(session, None, VERIFIED, "chain", now, **found)
    return True


MOST_TOLD = 5
"""Faults of a night that are told one by one; `callcenter audit verify` names more."""


def hand_out(
    session: Session,
    wanted: Wanted,
    target: BinaryIO,
    user_id: UUID | None,
    now: datetime,
    *,
    with_numbers: bool = False,
) -> Manifest:
    """Write an export of the evidence to `target`, and into the audit trail who has it."""
    manifest = write_export(session, wanted, target, now, with_numbers=with_numbers)
    subject = str(wanted.customer_id) if wanted.customer_id else "period"
    counts: Mapping[str, int] = {one.name: one.rows for one in manifest.files}
    accounts.record(
        session,
        user_id,
        "evidence.exported",
        subject,
        now,
        since=wanted.since and wanted.since.isoformat(),
        until=wanted.until and wanted.until.isoformat(),
        with_numbers=with_numbers,
        rows=dict(counts),
    )
    return manifest
