"""Keep what people ask to be changed of packs and ledgers, and what a second person decided of it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.compliance.ledgers import MAX_TEXT
from callcenter.compliance.packs import PackBook, load_book
from callcenter.compliance.packs_reading import Version, read_pack
from callcenter.compliance.policies import versions_here
from callcenter.domain.enums import ChangeKind, ChangeState, ConsentAct, Purpose
from callcenter.errors import BadInput, Conflict, Forbidden, NotFound
from callcenter.models import ComplianceChange, Consent, PackVersion, SuppressionList

TYPED_HERE = "this text"
"""What the text of a proposal is called where it is malformed: this text, line 12, caps[0]: ..."""


def propose(
    session: Session, kind: ChangeKind, payload: dict[str, Any], why: str, user_id: UUID, now: datetime
) -> ComplianceChange:
    """Keep a change that waits for a second person. Raises BadInput without a reason, Conflict for a second one."""
    why = why.strip()
    if not why or len(why) > MAX_TEXT or "\x00" in why:
        raise BadInput("Say why: one sentence for the person who decides.", {"why": ["say why"]})
    same = select(ComplianceChange.id).where(
        ComplianceChange.kind == kind,
        ComplianceChange.state == ChangeState.WAITING,
        col(ComplianceChange.payload) == payload,
    )
    if session.exec(same).first() is not None:
        raise Conflict("The same change waits for a decision already.")
    row = ComplianceChange(kind=kind, payload=payload, why=why, asked_at=now, asked_by=user_id)
    session.add(row)
    session.flush()
    return row


def lock_waiting(session: Session, change_id: int, user_id: UUID) -> ComplianceChange:
    """Lock a change that this person may decide.

    Raises NotFound, Conflict when it is decided, Forbidden for whoever asked for it.
    """
    row = session.get(ComplianceChange, change_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such change.")
    if row.state != ChangeState.WAITING:
        raise Conflict("This change is decided already.")
    if row.asked_by == user_id:
        raise Forbidden("You asked for this change. A second person decides.")
    return row


def settle(
    session: Session, row: ComplianceChange, state: ChangeState, user_id: UUID, note: str, now: datetime
) -> None:
    """Write down what was decided of a change, by whom and why."""
    note = note.strip()
    if state is ChangeState.REFUSED and not note:
        raise BadInput("Say why you refuse; whoever asked reads it.", {"note": ["say why"]})
    if len(note) > MAX_TEXT or "\x00" in note:
        raise BadInput("This note is too long.", {"note": [f"at most {MAX_TEXT} letters"]})
    row.state, row.decided_at, row.decided_by, row.decision_note = state, now, user_id, note
    session.flush()


def read_proposal(
    session: Session, home: Sequence[str], text: str, now: datetime
) -> tuple[Version, str | None]:
    """Read the text of a new pack version; return it, and the label of the version it would follow.

    Raises BadInput, naming line and entry, when the text is malformed, holds more than one version, or is valid
    from a day that has passed: what was decided under the rules of yesterday stays decided under them.
    """
    versions = read_pack(text.replace("\r\n", "\n"), TYPED_HERE)
    if len(versions) != 1:
        raise BadInput("Write the new version alone; those that are there already stay as they are.")
    (new,) = versions
    if new.starts_at <= now - timedelta(days=1):
        raise BadInput(f"valid_from: {new.valid_from} has passed; a version begins today or later.")
    load_book(home, [*versions_here(session), (new.pack, text)])
    before = load_book(home, versions_here(session)).in_force(new.pack, new.starts_at)
    return new, before.label if before else None


def put_in_force(
    session: Session, home: Sequence[str], payload: dict[str, Any], user_id: UUID, now: datetime
) -> PackVersion:
    """Keep a version of a pack that counts from its day on.

    Raises Conflict when its day has passed, or another version has come between since it was proposed.
    """
    try:
        new, follows = read_proposal(session, home, payload["text"], now)
    except BadInput as error:
        raise Conflict(f"This version can no longer be put in force. {error.message}") from error
    if follows != payload.get("follows"):
        raise Conflict(
            "Another version of this pack was put in force meanwhile. Propose it anew against that."
        )
    row = PackVersion(
        pack=new.pack, valid_from=new.valid_from, text=payload["text"], approved_at=now, approved_by=user_id
    )
    session.add(row)
    session.flush()
    return row


def consent_would_count(session: Session, customer_id: UUID, purpose: Purpose, at: datetime) -> None:
    """Raise Conflict when the customer has taken their consent back since `at`."""
    later = select(Consent.id).where(
        Consent.customer_id == customer_id,
        Consent.purpose == purpose,
        Consent.act == ConsentAct.WITHDRAWN,
        col(Consent.at) >= at,
    )
    if session.exec(later).first() is not None:
        raise Conflict("The customer has withdrawn consent since then; this one would not count.")


def list_in_force(session: Session, list_id: int) -> SuppressionList:
    """Return a list that bars calls. Raises NotFound, and Conflict when it does so no more."""
    row = session.get(SuppressionList, list_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such list.")
    if not row.in_force:
        raise Conflict("This list is not in force any more.")
    return row


def retire_list(session: Session, list_id: int) -> SuppressionList:
    """Let a list bar no more calls; its numbers stay on record. Raises as `list_in_force` does."""
    row = list_in_force(session, list_id)
    row.in_force = False
    session.flush()
    return row


def book_with(session: Session, home: Sequence[str]) -> PackBook:
    """Return the packs as they are; raises BadInput, naming file and line, where `current_book` says None."""
    return load_book(home, versions_here(session))
