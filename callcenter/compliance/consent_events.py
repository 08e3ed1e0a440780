"""What customers say of consent in their events: given, withdrawn, an objection to marketing. Pure.

An event that is no good never widens what we may do: a consent that cannot be read is none, a withdrawal
counts for every purpose when it does not say for which.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from callcenter.domain.enums import ConsentAct, Purpose
from callcenter.domain.events import PlacedEvent, Rejection

GIVEN, WITHDRAWN, OBJECTION = "Consent Given", "Consent Withdrawn", "Marketing Objection"
RESERVED = frozenset({GIVEN, WITHDRAWN, OBJECTION})
"""Names of tracked events that have a meaning of their own, in whatever journey."""
MAX_TEXT = 500
_PURPOSES = ", ".join(Purpose)


@dataclass(frozen=True, slots=True)
class ConsentDraft:
    """One entry for the ledgers. `act` None: an objection to marketing, which goes into that of suppression."""

    act: ConsentAct | None
    customer_id: UUID
    purpose: Purpose
    at: datetime
    source: str
    text_version: str = ""
    proof: str = ""
    expires_at: datetime | None = None


class _Malformed(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def consents_in(placed: Iterable[PlacedEvent]) -> list[ConsentDraft]:
    """Return what these events say of consent, in their order; nearly always nothing."""
    return [draft for one in placed if one.event.name in RESERVED for draft in read_consent(one)[0]]


def problems_in(placed: Iterable[PlacedEvent]) -> list[Rejection]:
    """Return what is wrong with the reserved ones of these events, for somebody to see and mend."""
    found = ((one, read_consent(one)[1]) for one in placed if one.event.name in RESERVED)
    return [
        Rejection(one.event.position, code, message, {"messageId": one.event.message_id})
        for one, problems in found
        for code, message in problems
    ]


def read_consent(one: PlacedEvent) -> tuple[list[ConsentDraft], list[tuple[str, str]]]:
    """Return what one reserved event means for the ledgers, and what is wrong with it: (code, what to do)."""
    event = one.event
    if event.kind != "track":
        return [], []
    says, at = event.properties, min(event.event_time, event.received_at)
    try:
        source, proof = _source(says), _text(says, "proof")
    except _Malformed as wrong:
        if event.name == GIVEN:
            return [], [(wrong.code, wrong.message)]
        source, proof = "event", ""
    if event.name != GIVEN:
        proof = proof or f"event {event.message_id}"
    if event.name == OBJECTION:
        return [ConsentDraft(None, one.customer_id, Purpose.MARKETING, at, source, proof=proof)], []
    if event.name == GIVEN:
        try:
            return [_given(one, says, at, source, proof)], []
        except _Malformed as wrong:
            return [], [(wrong.code, wrong.message)]
    purposes, problems = _withdrawn_for(says)
    drafts = [
        ConsentDraft(ConsentAct.WITHDRAWN, one.customer_id, purpose, at, source, proof=proof)
        for purpose in purposes
    ]
    return drafts, problems


def _given(one: PlacedEvent, says: Mapping[str, Any], at: datetime, source: str, proof: str) -> ConsentDraft:
    purpose = _purpose(says)
    version = _text(says, "text_version")
    if not version:
        raise _Malformed("no_text_version", "text_version is missing: which text did the customer agree to?")
    if not proof:
        raise _Malformed("no_proof", "proof is missing: where can it be seen that the customer agreed?")
    expires_at = _moment(says, "expires_at")
    if expires_at is not None and expires_at <= at:
        raise _Malformed("consent_ended", "expires_at lies before the consent was given")
    return ConsentDraft(ConsentAct.GIVEN, one.customer_id, purpose, at, source, version, proof, expires_at)


def _withdrawn_for(says: Mapping[str, Any]) -> tuple[list[Purpose], list[tuple[str, str]]]:
    if says.get("purpose") in (None, ""):
        return list(Purpose), []
    try:
        return [_purpose(says)], []
    except _Malformed as wrong:
        return list(Purpose), [(wrong.code, f"{wrong.message}; it was taken for all of them")]


def _purpose(says: Mapping[str, Any]) -> Purpose:
    try:
        return Purpose(str(says.get("purpose")).strip().lower())
    except ValueError:
        raise _Malformed("unknown_purpose", f"purpose must be one of {_PURPOSES}") from None


def _source(says: Mapping[str, Any]) -> str:
    """Return where an act came from: an event, and the channel it names (app, web, branch ...)."""
    channel = _text(says, "channel")
    return f"event:{channel[:40]}" if channel else "event"


def _text(says: Mapping[str, Any], name: str) -> str:
    value = says.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool) or len(str(value)) > MAX_TEXT:
        raise _Malformed(f"bad_{name}", f"{name} must be a text of at most {MAX_TEXT} letters")
    return str(value).strip()


def _moment(says: Mapping[str, Any], name: str) -> datetime | None:
    value = says.get(name)
    if value in (None, ""):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise _Malformed(
            f"bad_{name}", f"{name} must be an ISO 8601 time, for example 2027-11-21T00:00:00Z"
        ) from None
