"""The hash chain over the ledgers: how it is made, and what walking along it finds. Pure.

A row's line is what PostgreSQL's `COPY (SELECT columns ...) TO STDOUT` prints for it (text format, time zone UTC,
dates in ISO form, bytea in hex), without the line's end. Its hash is the SHA-256 of the line in UTF-8. A link's
hash is the SHA-256 of: the hash of the link before (32 zero bytes before the first), the ledger's name, the row's
id as eight bytes, the most significant first, and the row's hash.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from callcenter.errors import BadInput

GENESIS = bytes(32)
"""What stands before the first link."""


class Fault(StrEnum):
    """What is wrong at one place of the chain."""

    ALTERED = "altered"
    MISSING = "missing"
    INSERTED = "inserted"
    LINK_ALTERED = "link altered"
    LINK_MISSING = "link missing"
    CUT = "cut"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain: whoever keeps it elsewhere can tell later whether the chain still holds it."""

    seq: int = 0
    hash: bytes = GENESIS

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash.hex()}"


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it is stored."""

    seq: int
    ledger: str
    row_id: int
    row_hash: bytes
    hash: bytes

    @property
    def head(self) -> Head:
        """This link as the end of a chain."""
        return Head(self.seq, self.hash)


@dataclass(frozen=True, slots=True)
class Row:
    """A ledger's row as it is now: its own time as PostgreSQL prints it, and the hash of its line."""

    at: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault and where it is."""

    fault: Fault
    text: str
    seq: int | None = None
    ledger: str | None = None
    row_id: int | None = None


def read_head(text: str) -> Head:
    """Read a head that somebody wrote down as SEQ:HASH. Raises BadInput."""
    seq, _, digest = text.strip().partition(":")
    try:
        head = Head(int(seq), bytes.fromhex(digest))
    except ValueError:
        head = None
    if head is None or head.seq < 0 or len(head.hash) != len(GENESIS):
        raise BadInput("A head is written SEQ:HASH, as `callcenter audit head` prints it.")
    return head


def row_of(line: bytes) -> tuple[int, Row]:
    """Return the id of the row that a line shows, and the row."""
    row_id, at, _ = line.split(b"\t", 2)
    return int(row_id), Row(at, sha256(line).digest())


def link_hash(before: bytes, ledger: str, row_id: int, row_hash: bytes) -> bytes:
    """Return the hash of the link that follows another one."""
    return sha256(
        b"".join((before, ledger.encode(), row_id.to_bytes(8, "big", signed=True), row_hash))
    ).digest()


def forge(head: Head, ledger: str, rows: Iterable[tuple[int, Row]]) -> list[Link]:
    """Return the links that seal these rows, in order, behind a head."""
    links, seq, before = [], head.seq, head.hash
    for row_id, row in rows:
        seq, before = seq + 1, link_hash(before, ledger, row_id, row.hash)
        links.append(Link(seq, ledger, row_id, row.hash, before))
    return links


@dataclass
class Walk:
    """A walk along the chain, link by link, beside the rows as they are now.

    `removed_through`: the highest id of each ledger that was removed when its keeping was over.
    """

    late: timedelta
    removed_through: Mapping[str, int] = field(default_factory=dict)
    head: Head = field(default_factory=Head)
    most: int = 100
    findings: list[Finding] = field(default_factory=list)
    """The first `most` faults; `faults` counts all of them."""
    faults: int = 0
    links: int = 0
    removed: dict[str, int] = field(default_factory=dict)
    _newest: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def follow(self, links: Iterable[Link], rows: Mapping[str, Mapping[int, Row]]) -> None:
        """Go along the next links; `rows` are those of their ledgers that are there."""
        for link in links:
            self._step(link, rows[link.ledger].get(link.row_id) if link.ledger in rows else None)

    def _step(self, link: Link, row: Row | None) -> None:
        seq, before = self.head.seq, self.head.hash
        self.head = Head(link.seq, link.hash)
        self.links += 1
        expected = link_hash(before, link.ledger, link.row_id, link.row_hash)
        if link.seq != seq + 1:
            gone = f"link {seq + 1}" if link.seq == seq + 2 else f"links {seq + 1} to {link.seq - 1}"
            self._find(Fault.LINK_MISSING, f"{gone}: not there", link)
        elif expected != link.hash:
            text = (
                f"link {link.seq} does not follow from link {seq}: one of them was changed or they were moved"
            )
            return self._find(Fault.LINK_ALTERED, text, link)
        if row is None:
            return self._miss(link)
        if row.hash != link.row_hash:
            return self._find(Fault.ALTERED, f"{link.ledger} {link.row_id}: not as it was sealed", link)
        return self._date(link, row.at)

    def _miss(self, link: Link) -> None:
        if link.row_id <= self.removed_through.get(link.ledger, 0):
            self.removed[link.ledger] = self.removed.get(link.ledger, 0) + 1
        else:
            self._find(Fault.MISSING, f"{link.ledger} {link.row_id}: sealed and not there any more", link)

    def _date(self, link: Link, at: bytes) -> None:
        """Tell a row that was put in afterwards: it came into the chain behind younger ones."""
        newest_id, newest_at = self._newest.get(link.ledger, (0, b""))
        if at < newest_at and link.row_id < newest_id and is_older(at, newest_at, self.late):
            text = f"{link.ledger} {link.row_id}: dated {at.decode()}, came into the chain behind {newest_id}"
            self._find(Fault.INSERTED, f"{text}, dated {newest_at.decode()}", link)
        self._newest[link.ledger] = (max(link.row_id, newest_id), max(at, newest_at))

    def _find(self, fault: Fault, text: str, link: Link) -> None:
        self.note(Finding(fault, text, link.seq, link.ledger, link.row_id))

    def note(self, finding: Finding) -> None:
        """Count a fault, and keep it if there are not too many of them."""
        self.faults += 1
        if len(self.findings) < self.most:
            self.findings.append(finding)


def is_older(at: bytes, than: bytes, by: timedelta) -> bool:
    """Whether a time as PostgreSQL prints it lies further back than this; one that is no time does."""
    try:
        return datetime.fromisoformat(than.decode()) - datetime.fromisoformat(at.decode()) > by
    except ValueError:
        return True


def compare(expected: Head, found: Head | None, last: Head) -> Finding | None:
    """Say what is wrong with a chain that ends at `last` and has `found` where somebody wrote down `expected`."""
    if found == expected:
        return None
    if expected.seq > last.seq:
        text = (
            f"the chain ends at link {last.seq}; link {expected.seq} was there when its head was written down"
        )
        return Finding(Fault.CUT, text, expected.seq)
    text = f"link {expected.seq} is another one than when its head was written down"
    return Finding(Fault.REWRITTEN, text, expected.seq)
