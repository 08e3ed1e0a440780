"""What people do to the gate: bar somebody at once, and, with a second person, allow what was barred.

What takes permission away is one person's act and works at once. What gives more is proposed by one and decided
by another, whatever their roles. Verbs as in the pipeline, and beside it; each act is in the audit trail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlmodel import Session

from callcenter import outbox
from callcenter.accounts import service as accounts
from callcenter.compliance import changes, ledgers, reads
from callcenter.compliance.ledgers import NewSuppression
from callcenter.dialing import bounds
from callcenter.domain.enums import ChangeKind, ChangeState, Purpose
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.journeys import queries as journey_queries
from callcenter.models import ComplianceChange, Customer, Suppression
from callcenter.moves import House

# -- proposed by one, decided by another -------------------------------------------------------------------------


def propose_pack_version(
    session: Session, house: House, text: str, why: str, user_id: UUID, now: datetime
) -> ComplianceChange:
    """Ask for a new version of a policy pack, which counts from its day on once somebody else agrees."""
    new, follows = changes.read_proposal(session, house.gate.home_packs, text, now)
    payload = {
        "pack": new.pack,
        "valid_from": new.valid_from.isoformat(),
        "follows": follows,
        "text": text.replace("\r\n", "\n"),
    }
    return _propose(session, ChangeKind.PACK_VERSION, payload, f"pack {new.pack}", why, user_id, now)


def propose_lift(
    session: Session, suppression_id: int, why: str, user_id: UUID, now: datetime
) -> ComplianceChange:
    """Ask to take an entry of the suppression ledger back."""
    entry = reads.entry_to_lift(session, suppression_id)
    payload = {
        "suppression_id": suppression_id,
        "kind": str(entry.kind),
        "customer_id": str(entry.customer_id) if entry.customer_id else None,
    }
    return _propose(
        session, ChangeKind.LIFT_SUPPRESSION, payload, f"suppression {suppression_id}", why, user_id, now
    )


@dataclass(frozen=True, kw_only=True)
class NewConsent:
    """A consent the bank holds a proof of: to calls for which purpose, to which text, when, until when."""

    customer_id: UUID
    purpose: Purpose
    text_version: str
    proof: str
    at: datetime
    expires_at: datetime | None = None


def propose_consent(
    session: Session, new: NewConsent, why: str, user_id: UUID, now: datetime
) -> ComplianceChange:
    """Ask to keep a consent that the customer gave on paper or at a branch."""
    if session.get(Customer, new.customer_id) is None:
        raise NotFound("There is no such customer.")
    if not new.text_version.strip() or not new.proof.strip():
        raise BadInput("A consent needs the version of its text and a proof of it.")
    if new.at > now:
        raise BadInput("A consent cannot have been given in the future.")
    if new.expires_at is not None and new.expires_at <= new.at:
        raise BadInput("This consent would have ended before it was given.")
    changes.consent_would_count(session, new.customer_id, new.purpose, new.at)
    payload = {
        "customer_id": str(new.customer_id),
        "purpose": new.purpose.value,
        "text_version": new.text_version.strip(),
        "proof": new.proof.strip(),
        "at": new.at.isoformat(),
        "expires_at": new.expires_at.isoformat() if new.expires_at else None,
    }
    return _propose(session, ChangeKind.GIVE_CONSENT, payload, str(new.customer_id), why, user_id, now)


def propose_retire_list(
    session: Session, list_id: int, why: str, user_id: UUID, now: datetime
) -> ComplianceChange:
    """Ask that an imported list bars no more calls."""
    row = changes.list_in_force(session, list_id)
    payload = {"list_id": list_id, "key": row.key}
    return _propose(session, ChangeKind.RETIRE_LIST, payload, f"list {row.key}", why, user_id, now)


def _propose(
    session: Session,
    kind: ChangeKind,
    payload: dict[str, Any],
    subject: str,
    why: str,
    user_id: UUID,
    now: datetime,
) -> ComplianceChange:
    row = changes.propose(session, kind, payload, why, user_id, now)
    accounts.record(session, user_id, "change.proposed", subject, now, change=row.id, kind=kind.value)
    return row


def decide(
    session: Session,
    house: House,
    change_id: int,
    user_id: UUID,
    now: datetime,
    *,
    approved: bool,
    note: str = "",
) -> ComplianceChange:
    """Agree to a change, which carries it out, or refuse it; never by whoever asked for it.

    Raises Forbidden for them, and Conflict when it is decided or no longer possible: refuse it then.
    """
    row = changes.lock_waiting(session, change_id, user_id)
    kind = ChangeKind(row.kind)
    subject = _subject_of(kind, row.payload)
    if approved:
        _carry_out(session, house, row, user_id, now)
    state = ChangeState.APPROVED if approved else ChangeState.REFUSED
    changes.settle(session, row, state, user_id, note, now)
    accounts.record(session, user_id, f"change.{state.value}", subject, now, change=row.id, kind=kind.value)
    outbox.ring(session, outbox.FLOOR)
    return row


def _subject_of(kind: ChangeKind, payload: Mapping[str, Any]) -> str:
    names = {
        ChangeKind.PACK_VERSION: ("pack", "pack"),
        ChangeKind.LIFT_SUPPRESSION: ("suppression", "suppression_id"),
        ChangeKind.GIVE_CONSENT: ("customer", "customer_id"),
        ChangeKind.RETIRE_LIST: ("list", "key"),
    }
    word, entry = names[kind]
    return f"{word} {payload.get(entry)}"


def _carry_out(session: Session, house: House, row: ComplianceChange, user_id: UUID, now: datetime) -> None:
    kind, told, source = ChangeKind(row.kind), row.payload, f"change {row.id}"
    if kind is ChangeKind.PACK_VERSION:
        changes.put_in_force(session, house.gate.home_packs, told, user_id, now)
    elif kind is ChangeKind.LIFT_SUPPRESSION:
        ledgers.lift(session, told["suppression_id"], source, row.why, now, user_id)
    elif kind is ChangeKind.RETIRE_LIST:
        changes.retire_list(session, told["list_id"])
    else:
        _give_consent(session, told, source, user_id, now)


def _give_consent(
    session: Session, told: Mapping[str, Any], source: str, user_id: UUID, now: datetime
) -> None:
    customer_id, purpose = UUID(told["customer_id"]), Purpose(told["purpose"])
    at = datetime.fromisoformat(told["at"])
    changes.consent_would_count(session, customer_id, purpose, at)
    is_new = ledgers.give_consent(
        session,
        customer_id,
        purpose,
        text_version=told["text_version"],
        proof=told["proof"],
        source=source,
        at=at,
        now=now,
        expires_at=datetime.fromisoformat(told["expires_at"]) if told["expires_at"] else None,
        by=user_id,
    )
    if not is_new:
        raise Conflict("This consent is on record already.")


# -- one person's acts: they take permission away, or concern the house alone --------------------------------------


def bar(session: Session, house: House, new: NewSuppression, user_id: UUID, now: datetime) -> Suppression:
    """Put a person or a number into the suppression ledger; effective before the next dial."""
    if new.customer_id is not None and session.get(Customer, new.customer_id) is None:
        raise NotFound("There is no such customer.")
    row = ledgers.add_suppression(session, house.gate.number_key, replace(new, by=user_id), now)
    about = str(row.customer_id) if row.customer_id else None
    accounts.record(
        session,
        user_id,
        "suppression.added",
        f"suppression {row.id}",
        now,
        kind=new.kind.value,
        scope=new.scope.value,
        customer_id=about,
    )
    outbox.ring(session, outbox.FLOOR)
    return row


def withdraw_consent(
    session: Session, customer_id: UUID, purpose: Purpose, proof: str, user_id: UUID, now: datetime
) -> None:
    """Keep that a customer takes their consent back. Raises Conflict when that is on record already."""
    if session.get(Customer, customer_id) is None:
        raise NotFound("There is no such customer.")
    ledgers.withdraw_consent(
        session, customer_id, purpose, source="compliance", at=now, now=now, proof=proof.strip(), by=user_id
    )
    accounts.record(session, user_id, "consent.withdrawn", str(customer_id), now, purpose=purpose.value)
    outbox.ring(session, outbox.FLOOR)


def pause_campaign(session: Session, key: str, user_id: UUID, now: datetime, *, paused: bool) -> None:
    """Let a campaign's customers not be called, or be called again."""
    _known(session, key)
    if bounds.pause_campaign(session, key, user_id, now, paused=paused):
        accounts.record(session, user_id, "campaign.paused" if paused else "campaign.resumed", key, now)
    outbox.ring(session, outbox.FLOOR)


def set_hours(session: Session, key: str, hours: Sequence[str], user_id: UUID, now: datetime) -> None:
    """Give a campaign calling hours of its own, within those of the packs, or take them away."""
    _known(session, key)
    told = bounds.set_hours(session, key, hours, user_id, now)
    accounts.record(session, user_id, "campaign.hours", key, now, hours=list(told))
    outbox.ring(session, outbox.FLOOR)


def _known(session: Session, key: str) -> None:
    if key not in journey_queries.journeys_loaded(session):
        raise NotFound("There is no such journey.")


def confirm_clock(session: Session, user_id: UUID, now: datetime) -> None:
    """Say that the clock is right though records lie ahead of it: only later ones are held against it.

    Raises Conflict when none does.
    """
    ahead = reads.records_ahead(session, now)
    if ahead is None:
        raise Conflict("The clock is not behind the records; nothing bars calls for it.")
    accounts.record(
        session,
        user_id,
        "clock.confirmed",
        "clock",
        now,
        up_to=ahead.up_to_id,
        newest_record_at=ahead.newest_at.isoformat(),
    )
    outbox.ring(session, outbox.FLOOR)
