"""Which packs are in force: those the product brings and those put in force here; read once until they change."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from callcenter.compliance.packs import PackBook, load_book
from callcenter.compliance.queries import ProposedCall, facts_of_calls
from callcenter.db import cursor_of
from callcenter.domain.contact import ContactPolicy, CustomerFacts
from callcenter.errors import BadInput
from callcenter.models import PackVersion


@dataclass(frozen=True)
class Gate:
    """What the house has set for the gate: the packs that always apply, and the key of its number lists."""

    home_packs: tuple[str, ...]
    number_key: bytes


log = logging.getLogger(__name__)
_STAMP = "SELECT count(*), COALESCE(max(id), 0) FROM pack_version"
_books: dict[tuple[object, ...], PackBook | None] = {}


def current_book(session: Session, home_packs: Sequence[str]) -> PackBook | None:
    """Return the packs by which calls are judged now; None when one of them is malformed, which bars every call."""
    key = (*home_packs, *(cursor_of(session).execute(_STAMP).fetchone() or ()))
    if key not in _books:
        if len(_books) > 8:
            _books.clear()
        try:
            _books[key] = load_book(home_packs, versions_here(session))
        except BadInput as error:
            log.error("policy_packs.refused %s", error.message)
            _books[key] = None
    return _books[key]


def look(
    session: Session, gate: Gate, calls: Sequence[ProposedCall], at: datetime
) -> list[tuple[CustomerFacts, ContactPolicy | None]]:
    """Return for each call, in order, what is known of it and the policy that applies; nothing is kept."""
    book = current_book(session, gate.home_packs)
    return [
        (facts, book.policy(facts.regions, facts.purpose, at) if book else None)
        for facts in facts_of_calls(session, calls, gate.number_key, at)
    ]


def versions_here(session: Session) -> list[tuple[str, str]]:
    """Return the pack versions put in force here, oldest approval first: (pack, text in YAML)."""
    rows = session.exec(select(PackVersion).order_by(col(PackVersion.id))).all()
    return [(row.pack, row.text) for row in rows]
