"""Recompute the chain over the ledgers and name what is not as it was sealed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from callcenter.errors import NotFound
from callcenter.evidence.policy import LATE, LEDGERS, MOST_FINDINGS, VERIFY_AT_ONCE
from callcenter.evidence.queries import (
    head_at,
    head_of_chain,
    ledger_rows_unsealed,
    links_after,
    links_nowhere,
    removed_after_keeping,
    rows_of_ids,
    speak_plainly,
)
from callcenter.evidence.rules import Fault, Finding, Head, Link, Row, Walk, compare, is_older


@dataclass
class Report:
    """What verifying found. The chain holds when there are no findings."""

    head: Head
    links: int = 0
    faults: int = 0
    findings: list[Finding] = field(default_factory=list)
    """The first faults; `faults` counts all of them."""
    removed: dict[str, int] = field(default_factory=dict)
    """Rows of each ledger that were removed when their keeping was over; their links are there."""
    waiting: dict[str, int] = field(default_factory=dict)
    """Rows of each ledger that came in just now and are not sealed yet."""
    stale: dict[str, int] = field(default_factory=dict)
    """Rows of each ledger that nobody sealed for longer than sealing takes: is a scheduler running?"""

    @property
    def holds(self) -> bool:
        """Whether everything is as it was sealed."""
        return not self.faults


def verify_chain(
    session: Session,
    now: datetime,
    *,
    after: int = 0,
    expected: Head | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Report:
    """Walk along the chain behind link `after` and compare every row with its link.

    `expected` is a head that was written down before. Raises NotFound when there is no link `after`.
    Everything is read in one snapshot if the session's transaction is one.
    """
    speak_plainly(session)
    begin, last = head_at(session, after), head_of_chain(session)
    if begin is None:
        raise NotFound(f"There is no link {after}; the chain ends at {last.seq}.")
    removed = removed_after_keeping(session)
    through = {ledger: through for ledger, (through, _) in removed.items()}
    walk = Walk(LATE, through, begin, MOST_FINDINGS)
    while links := links_after(session, walk.head.seq, last.seq, VERIFY_AT_ONCE):
        walk.follow(links, _rows_of(session, links))
        progress(len(links))
    report = Report(last, removed=walk.removed)
    if after == 0:
        if nowhere := links_nowhere(session):
            walk.note(Finding(Fault.LINK_ALTERED, f"{nowhere} links stand before the first one"))
        _count_removed(walk, removed)
    _look_behind(session, walk, report, now)
    if expected is not None and (fault := compare(expected, head_at(session, expected.seq), last)):
        walk.note(fault)
    report.links, report.faults, report.findings = walk.links, walk.faults, walk.findings
    return report


def _rows_of(session: Session, links: Sequence[Link]) -> dict[str, dict[int, Row]]:
    return {
        ledger.name: rows_of_ids(
            session, ledger, [link.row_id for link in links if link.ledger == ledger.name]
        )
        for ledger in LEDGERS
    }


def _count_removed(walk: Walk, removed: dict[str, tuple[int, int]]) -> None:
    """More rows must not be gone than the audit trail says were removed."""
    for ledger, (through, rows) in removed.items():
        if (gone := walk.removed.get(ledger, 0)) != rows:
            text = f"{ledger} up to {through}: {gone} rows are gone, {rows} were removed after their keeping"
            walk.note(Finding(Fault.MISSING, text, ledger=ledger))


def _look_behind(session: Session, walk: Walk, report: Report, now: datetime) -> None:
    """Find rows that no link seals: just come, left by a scheduler that stands still, or put in afterwards."""
    printed_now = now.isoformat(" ").encode()
    for ledger, newest, rows in ledger_rows_unsealed(session, VERIFY_AT_ONCE):
        for row_id, row in rows.items():
            is_fresh = not is_older(row.at, printed_now, LATE)
            if is_fresh or row_id > newest:
                kind = report.waiting if is_fresh else report.stale
                kind[ledger.name] = kind.get(ledger.name, 0) + 1
            else:
                text = f"{ledger.name} {row_id}: not in the chain, which has sealed {newest} already"
                walk.note(Finding(Fault.INSERTED, text, None, ledger.name, row_id))
