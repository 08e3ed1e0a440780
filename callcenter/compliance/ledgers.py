"""Keep the ledgers of suppression and consent: rows are added, never changed; what is taken back is a row too."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from callcenter.compliance.consent_events import ConsentDraft
from callcenter.compliance.number_key import fingerprint_of
from callcenter.compliance.numbers import hash_number
from callcenter.db import array_of, cursor_of, id_array_of, moment_array_of
from callcenter.domain.enums import ConsentAct, Purpose, SuppressionKind, SuppressionScope
from callcenter.errors import BadInput, Conflict, NotFound
from callcenter.models import Suppression

MAX_TEXT = 500
"""Letters of a source, reason, proof or text version."""


@dataclass(frozen=True, kw_only=True)
class NewSuppression:
    """A person, a number (E.164) or both that must not be called; how far that reaches, where it comes from."""

    kind: SuppressionKind
    source: str
    scope: SuppressionScope = SuppressionScope.GLOBAL
    customer_id: UUID | None = None
    number: str | None = None
    purpose: Purpose | None = None
    campaign: str | None = None
    reason: str = ""
    proof: str = ""
    expires_at: datetime | None = None
    by: UUID | None = None


def add_suppression(session: Session, number_key: bytes, new: NewSuppression, now: datetime) -> Suppression:
    """Let somebody not be called; effective before the next dial once it is committed.

    Raises BadInput when the entry says nothing, contradicts itself, or has ended already.
    """
    check_entry(new, now)
    row = Suppression(
        kind=new.kind,
        scope=new.scope,
        customer_id=new.customer_id,
        number_hash=hash_number(number_key, new.number) if new.number else None,
        key_fingerprint=fingerprint_of(number_key) if new.number else None,
        purpose=new.purpose,
        campaign=new.campaign,
        source=new.source,
        reason=new.reason,
        proof=new.proof,
        created_at=now,
        created_by=new.by,
        expires_at=new.expires_at,
    )
    session.add(row)
    session.flush()
    return row


def check_entry(new: NewSuppression, now: datetime, *, is_for_many: bool = False) -> None:
    """Raise BadInput, naming each field, when an entry says nothing, contradicts itself, or has ended already.

    `is_for_many`: whom it is about is told elsewhere, person by person.
    """
    wrong: dict[str, Sequence[str]] = {}
    if not is_for_many and new.customer_id is None and not new.number:
        wrong["customer"] = ["name a customer, a number, or both"]
    if new.scope is SuppressionScope.NUMBER and (not new.number or new.customer_id is not None):
        wrong["scope"] = ["an entry about a number names the number alone"]
    if new.scope is SuppressionScope.PURPOSE and new.purpose is None:
        wrong["purpose"] = ["say which purpose the entry is limited to"]
    if new.scope is SuppressionScope.CAMPAIGN and not new.campaign:
        wrong["campaign"] = ["say which campaign the entry is limited to"]
    # Whoever reads GLOBAL must not find out later that it was meant for one campaign only.
    if new.scope is SuppressionScope.GLOBAL and (new.purpose is not None or new.campaign):
        wrong["scope"] = ["a global entry is limited neither to a purpose nor to a campaign"]
    if not new.source.strip():
        wrong["source"] = ["say where the entry comes from"]
    if new.expires_at is not None and new.expires_at <= now:
        wrong["expires_at"] = ["the entry would have ended already"]
    for name in ("source", "reason", "proof"):
        if len(text := getattr(new, name)) > MAX_TEXT or "\x00" in text:
            wrong[name] = [f"at most {MAX_TEXT} letters, none of them NUL"]
    if wrong:
        raise BadInput("This entry cannot be kept: " + "; ".join(one[0] for one in wrong.values()), wrong)


def lift(
    session: Session, suppression_id: int, source: str, reason: str, now: datetime, by: UUID | None
) -> Suppression:
    """Take back one entry by a new row; whether two people agree on it is the caller's business.

    Raises NotFound, and Conflict when it is lifted already or is itself a lifting.
    """
    # Two who lift at once wait for each other here; the ledger's rows may be locked though not changed.
    entry = session.exec(
        select(Suppression).where(Suppression.id == suppression_id).with_for_update(key_share=True)
    ).first()
    if entry is None:
        raise NotFound("There is no such entry in the suppression ledger.")
    if entry.lifts_id is not None:
        raise Conflict("This entry lifts another one. Add the bar again instead.")
    if session.exec(select(Suppression.id).where(col(Suppression.lifts_id) == suppression_id)).first():
        raise Conflict("This entry is lifted already.")
    row = Suppression(
        kind=entry.kind,
        scope=entry.scope,
        customer_id=entry.customer_id,
        number_hash=entry.number_hash,
        key_fingerprint=entry.key_fingerprint,
        purpose=entry.purpose,
        campaign=entry.campaign,
        source=source,
        reason=reason,
        created_at=now,
        created_by=by,
        lifts_id=suppression_id,
    )
    session.add(row)
    session.flush()
    return row


def give_consent(
    session: Session,
    customer_id: UUID,
    purpose: Purpose,
    *,
    text_version: str,
    proof: str,
    source: str,
    at: datetime,
    now: datetime,
    expires_at: datetime | None = None,
    by: UUID | None = None,
) -> bool:
    """Keep that a customer consents to calls for a purpose; False when this very consent is kept already.

    Raises BadInput without the version of the text consented to and a proof, or for a time in the future.
    """
    if not text_version.strip() or not proof.strip():
        raise BadInput("A consent needs the version of its text and a proof of it.")
    if at > now:
        raise BadInput("A consent cannot have been given in the future.")
    if expires_at is not None and expires_at <= at:
        raise BadInput("This consent would have ended before it was given.")
    given = ConsentDraft(ConsentAct.GIVEN, customer_id, purpose, at, source, text_version, proof, expires_at)
    return add_consents(session, [given], now, by) == 1


def withdraw_consent(
    session: Session,
    customer_id: UUID,
    purpose: Purpose,
    *,
    source: str,
    at: datetime,
    now: datetime,
    proof: str = "",
    by: UUID | None = None,
) -> bool:
    """Keep that a customer takes their consent back; False when this very act is kept already."""
    taken_back = ConsentDraft(ConsentAct.WITHDRAWN, customer_id, purpose, min(at, now), source, proof=proof)
    return add_consents(session, [taken_back], now, by) == 1


def note_consents(session: Session, drafts: Collection[ConsentDraft], now: datetime) -> int:
    """Keep what customers said of consent and marketing in their events; return how many rows are new.

    The same act of the same customer at the same time from the same source is kept once, however often it
    comes. Two processes must not note one customer's at the same time: their rows are locked by the intake.
    """
    if not drafts:
        return 0
    objections = [one for one in drafts if one.act is None]
    acts = [one for one in drafts if one.act is not None]
    return add_consents(session, acts, now, None) + _add_objections(session, objections, now)


_ADD_CONSENTS = """
INSERT INTO consent (act, customer_id, purpose, text_version, proof, source, at, expires_at, created_at, created_by)
SELECT act, customer_id, purpose, text_version, proof, source, at, expires_at, %(now)s, %(by)s
  FROM unnest(%(acts)s::text[], %(people)s::uuid[], %(purposes)s::text[], %(versions)s::text[],
              %(proofs)s::text[], %(sources)s::text[], %(ats)s::timestamptz[], %(ends)s::timestamptz[])
       WITH ORDINALITY AS n (act, customer_id, purpose, text_version, proof, source, at, expires_at, place)
 WHERE NOT EXISTS (SELECT FROM consent c WHERE c.customer_id = n.customer_id AND c.purpose = n.purpose
                      AND c.act = n.act AND c.at = n.at AND c.source = n.source)
 ORDER BY place
"""
_ADD_OBJECTIONS = """
INSERT INTO suppression (kind, scope, customer_id, purpose, source, reason, proof, created_at)
SELECT 'objection', 'purpose', customer_id, 'marketing', source, reason, proof, %(now)s
  FROM unnest(%(people)s::uuid[], %(proofs)s::text[], %(sources)s::text[], %(reasons)s::text[])
       WITH ORDINALITY AS n (customer_id, proof, source, reason, place)
 WHERE NOT EXISTS (SELECT FROM suppression s WHERE s.customer_id = n.customer_id AND s.kind = 'objection'
                      AND s.reason = n.reason AND s.source = n.source)
 ORDER BY place
"""


def add_consents(session: Session, drafts: Collection[ConsentDraft], now: datetime, by: UUID | None) -> int:
    """Keep acts of consent; return how many were not kept before."""
    wanted = _once(drafts)
    if not wanted:
        return 0
    added = cursor_of(session).execute(
        _ADD_CONSENTS,
        {
            "acts": array_of(str(one.act) for one in wanted),
            "people": id_array_of(one.customer_id for one in wanted),
            "purposes": array_of(one.purpose.value for one in wanted),
            "versions": array_of(one.text_version for one in wanted),
            "proofs": array_of(one.proof for one in wanted),
            "sources": array_of(one.source for one in wanted),
            "ats": moment_array_of(one.at for one in wanted),
            "ends": moment_array_of(one.expires_at for one in wanted),
            "now": now,
            "by": by,
        },
    )
    return added.rowcount


def _add_objections(session: Session, drafts: Collection[ConsentDraft], now: datetime) -> int:
    wanted = _once(drafts)
    if not wanted:
        return 0
    added = cursor_of(session).execute(
        _ADD_OBJECTIONS,
        {
            "people": id_array_of(one.customer_id for one in wanted),
            "proofs": array_of(one.proof for one in wanted),
            "sources": array_of(one.source for one in wanted),
            "reasons": array_of(f"said at {one.at:%Y-%m-%dT%H:%M:%S.%fZ}" for one in wanted),
            "now": now,
        },
    )
    return added.rowcount


def _once(drafts: Iterable[ConsentDraft]) -> list[ConsentDraft]:
    return list({(one.customer_id, one.purpose, one.act, one.at, one.source): one for one in drafts}.values())


_CARRY_BARS = """
INSERT INTO suppression (kind, scope, customer_id, number_hash, key_fingerprint, purpose, campaign, source,
                         reason, proof, created_at, created_by, expires_at)
SELECT s.kind, s.scope, j.heir, s.number_hash, s.key_fingerprint, s.purpose, s.campaign, s.source,
       s.reason, s.proof, s.created_at, s.created_by, s.expires_at
  FROM unnest(%(before)s::uuid[], %(after)s::uuid[]) AS j (person, heir)
  JOIN suppression s ON s.customer_id = j.person
 WHERE s.lifts_id IS NULL AND (s.expires_at IS NULL OR s.expires_at > %(now)s)
   AND NOT EXISTS (SELECT FROM suppression l WHERE l.lifts_id = s.id)
   AND NOT EXISTS (SELECT FROM suppression o WHERE o.customer_id = j.heir AND o.kind = s.kind
                      AND o.created_at = s.created_at AND o.source = s.source)
 ORDER BY s.id
"""
_CARRY_CONSENTS = """
INSERT INTO consent (act, customer_id, purpose, text_version, proof, source, at, expires_at, created_at, created_by)
SELECT c.act, j.heir, c.purpose, c.text_version, c.proof, c.source, c.at, c.expires_at, %(now)s, c.created_by
  FROM unnest(%(before)s::uuid[], %(after)s::uuid[]) AS j (person, heir)
  JOIN consent c ON c.customer_id = j.person
 WHERE NOT EXISTS (SELECT FROM consent o WHERE o.customer_id = j.heir AND o.purpose = c.purpose
                      AND o.act = c.act AND o.at = c.at AND o.source = c.source)
 ORDER BY c.id
"""


def carry_over(session: Session, joined: Collection[tuple[UUID, UUID]], now: datetime) -> None:
    """Let what a device's person said hold for the customer they turned out to be: (from, to) pairs."""
    if not joined:
        return
    pairs = sorted(set(joined))
    asked = {
        "before": id_array_of(before for before, _ in pairs),
        "after": id_array_of(after for _, after in pairs),
        "now": now,
    }
    cursor_of(session).execute(_CARRY_BARS, asked)
    cursor_of(session).execute(_CARRY_CONSENTS, asked)
