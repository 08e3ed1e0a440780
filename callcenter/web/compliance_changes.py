"""A change of packs or ledgers in words, and the page on which a second person decides it."""

from datetime import date, datetime
from uuid import UUID

from flask_babel import gettext
from sqlmodel import Session

from callcenter.compliance import changes, reads
from callcenter.compliance.changes import book_with
from callcenter.compliance.packs_reading import read_pack
from callcenter.compliance.reads import ChangeRead
from callcenter.domain.enums import ChangeKind, ChangeState, Purpose
from callcenter.errors import BadInput, CallCenterError
from callcenter.models import Customer, Suppression
from callcenter.web.compliance_frame import campaign_titles, gate, gate_frame, masked, person_name
from callcenter.web.compliance_packs import differences_of
from callcenter.web.compliance_words import scope_words, word
from callcenter.web.edge import viewer
from callcenter.web.formats import day, time_of_day
from callcenter.web.pages import compliance as page


def change_row(session: Session, one: ChangeRead) -> page.ChangeRow:
    """Return a change as a row: what it would do in a sentence, and who said what."""
    row = one.row
    assert row.id is not None
    return page.ChangeRow(
        id=row.id,
        href=f"/compliance/changes/{row.id}",
        kind=str(row.kind),
        what=_what(session, one),
        why=row.why,
        state=str(row.state),
        asked_at=row.asked_at,
        asked_by=one.asked_by,
        is_own=row.asked_by == viewer().id,
        decided_at=row.decided_at,
        decided_by=one.decided_by,
        note=row.decision_note,
    )


def _what(session: Session, one: ChangeRead) -> str:
    told, kind = one.row.payload, ChangeKind(one.row.kind)
    if kind is ChangeKind.PACK_VERSION:
        on = day(date.fromisoformat(told["valid_from"]))
        return gettext("%(pack)s: a new version from %(day)s", pack=told["pack"], day=on)
    if kind is ChangeKind.RETIRE_LIST:
        return gettext("Retire the list %(key)s", key=told["key"])
    if kind is ChangeKind.GIVE_CONSENT:
        name = person_name(session.get(Customer, UUID(told["customer_id"])))
        return gettext(
            "Consent of %(name)s: %(purpose)s", name=name, purpose=word("purpose", told["purpose"])
        )
    bar = word("kind", told.get("kind"))
    if told.get("customer_id"):
        name = person_name(session.get(Customer, UUID(told["customer_id"])))
        return gettext("Lift “%(bar)s” of %(name)s", bar=bar, name=name)
    return gettext("Lift “%(bar)s” of a number", bar=bar)


def change_page(session: Session, change_id: int, now: datetime) -> page.ChangePage:
    """Return one change with all that a second person must see before they decide."""
    one = reads.change(session, change_id)
    head, tabs = gate_frame(session, "gate")
    row, kind = change_row(session, one), ChangeKind(one.row.kind)
    is_waiting = one.row.state == ChangeState.WAITING
    found = page.ChangePage(
        frame=head,
        tabs=tabs,
        change=row,
        facts=_facts(session, kind, one),
        why_not=gettext("You asked for this. A second person decides.")
        if row.is_own and is_waiting
        else None,
        stale=_stale(session, kind, one, now) if is_waiting else None,
        **_pack_parts(session, kind, one),  # type: ignore[arg-type]
    )
    return found


def _pack_parts(session: Session, kind: ChangeKind, one: ChangeRead) -> dict[str, object]:
    if kind is not ChangeKind.PACK_VERSION:
        return {}
    text, follows = str(one.row.payload["text"]), one.row.payload.get("follows")
    parts: dict[str, object] = {"text": text, "against": follows}
    try:
        (new,) = read_pack(text, changes.TYPED_HERE)
        before = book_with(session, gate().home_packs).packs.get(new.pack, ())
    except (BadInput, ValueError):
        return parts
    old = next((version for version in before if version.label == follows), None)
    return {**parts, "differences": differences_of(old, new)}


def _facts(session: Session, kind: ChangeKind, one: ChangeRead) -> tuple[tuple[str, str], ...]:
    told = one.row.payload
    if kind is ChangeKind.GIVE_CONSENT:
        customer = session.get(Customer, UUID(told["customer_id"]))
        ends = told.get("expires_at")
        return (
            (gettext("Customer"), person_name(customer)),
            (gettext("Purpose"), word("purpose", told["purpose"])),
            (gettext("Text version"), told["text_version"]),
            (gettext("Proof"), told["proof"]),
            (gettext("Given"), _moment(told["at"])),
            (gettext("Ends"), _moment(ends) if ends else gettext("never")),
        )
    if kind is ChangeKind.LIFT_SUPPRESSION:
        entry = session.get(Suppression, told["suppression_id"])
        if entry is None:
            return ()
        customer = session.get(Customer, entry.customer_id) if entry.customer_id else None
        about = person_name(customer) if entry.customer_id else gettext("a number alone")
        number = masked(customer.number) if customer and customer.number else ""
        titles = campaign_titles(session)
        return (
            (gettext("About"), f"{about} · {number}" if number else about),
            (gettext("Bar"), word("kind", entry.kind)),
            (gettext("Reaches"), scope_words(entry.scope, entry.purpose, entry.campaign, titles)),
            (gettext("Source"), entry.source),
            (gettext("Reason"), entry.reason or "–"),
            (gettext("Since"), _moment(entry.created_at.isoformat())),
        )
    if kind is ChangeKind.RETIRE_LIST:
        return ((gettext("List"), told["key"]),)
    return ((gettext("Pack"), told["pack"]), (gettext("Valid from"), told["valid_from"]))


def _moment(iso: str) -> str:
    at = datetime.fromisoformat(iso)
    return f"{day(at)} {time_of_day(at)}"


def _stale(session: Session, kind: ChangeKind, one: ChangeRead, now: datetime) -> str | None:
    """Why nobody can approve it any more; None when it is still possible."""
    told = one.row.payload
    try:
        if kind is ChangeKind.LIFT_SUPPRESSION:
            reads.entry_to_lift(session, told["suppression_id"])
        elif kind is ChangeKind.RETIRE_LIST:
            reads.list_to_retire(session, told["list_id"])
        elif kind is ChangeKind.GIVE_CONSENT:
            at = datetime.fromisoformat(told["at"])
            changes.consent_would_count(session, UUID(told["customer_id"]), Purpose(told["purpose"]), at)
        else:
            _, follows = changes.read_proposal(session, gate().home_packs, told["text"], now)
            if follows != told.get("follows"):
                return gettext("Another version of this pack was put in force meanwhile.")
    except CallCenterError as error:
        return gettext(error.message)
    return None
