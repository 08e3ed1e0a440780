"""The ledgers' pages: somebody looked up by the bank's id or a number, what stands for and against them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import urlencode
from uuid import UUID

import phonenumbers
from flask_babel import gettext
from sqlmodel import Session, col, select

from callcenter.compliance import ledger_queries, reads
from callcenter.compliance.ledger_queries import ConsentEntry, Entry
from callcenter.compliance.policies import look
from callcenter.compliance.queries import ProposedCall
from callcenter.domain.enums import ChangeKind, Purpose, SuppressionKind
from callcenter.errors import NotFound
from callcenter.models import Customer, SuppressionList, User
from callcenter.web.compliance_frame import campaign_titles, gate, gate_frame, masked, person_name
from callcenter.web.compliance_view import registries_of
from callcenter.web.compliance_words import length, scope_words, word
from callcenter.web.formats import when
from callcenter.web.pages import compliance_ledgers as page
from callcenter.web.pages.compliance import Option
from callcenter.web.pages.studio import Choice


def read_number(raw: str) -> str | None:
    """Read a number in international form, with whatever spaces and brackets; None for anything else."""
    if not raw.strip().startswith(("+", "＋")):
        return None
    try:
        told = phonenumbers.parse(raw)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(told, phonenumbers.PhoneNumberFormat.E164)


def find_customer(session: Session, bank_id: str) -> Customer | None:
    """Return the customer with this id of the bank's, or of ours."""
    bank_id = bank_id.strip()
    if not bank_id or "\x00" in bank_id:
        return None
    found = session.exec(select(Customer).where(Customer.external_id == bank_id)).first()
    if found is None:
        try:
            return session.get(Customer, UUID(bank_id))
        except ValueError:
            return None
    return found


def ledgers_page(
    session: Session, now: datetime, asked: str = "", problem: str | None = None
) -> page.LedgersPage:
    """Return the form that looks somebody up, and the imported lists."""
    head, tabs = gate_frame(session, "ledgers")
    return page.LedgersPage(head, tabs, asked, _lists(session, ledger_queries.lists(session), now), problem)


def _lists(session: Session, rows: Sequence[SuppressionList], now: datetime) -> tuple[page.ListRow, ...]:
    names = {one.id: one.name for one in session.exec(select(User))}
    ages = registries_of(session, now)
    waiting = _waiting(session, ChangeKind.RETIRE_LIST, "list_id")
    return tuple(
        page.ListRow(
            id=one.id or 0,
            key=one.key,
            source=one.source,
            limited=gettext("Calls for %(purpose)s", purpose=word("purpose", one.purpose))
            if one.purpose
            else word("scope", "global"),
            as_of=one.as_of,
            imported_at=one.imported_at,
            imported_by=names.get(one.imported_by, gettext("command line"))
            if one.imported_by
            else gettext("command line"),
            accepted=one.accepted,
            refused=one.refused,
            in_force=one.in_force,
            is_stale=one.in_force and one.key in ages and one.as_of < now - ages[one.key],
            waits=one.id in waiting,
        )
        for one in rows
    )


def _waiting(session: Session, kind: ChangeKind, entry: str) -> set[object]:
    return {
        one.row.payload.get(entry)
        for one in reads.changes(session, waiting=True, limit=1000)
        if one.row.kind == kind
    }


def person_page(
    session: Session, customer_id: UUID, purpose: Purpose, now: datetime, done: str | None = None
) -> page.PersonPage:
    """Return what stands for and against a customer. Raises NotFound."""
    customer = session.get(Customer, customer_id)
    if customer is None:
        raise NotFound("There is no such customer.")
    head, tabs = gate_frame(session, "ledgers")
    titles = campaign_titles(session)
    names = _names(session)
    href = f"/compliance/people/{customer.id}"
    key = gate().number_key
    return page.PersonPage(
        frame=head,
        tabs=tabs,
        name=person_name(customer),
        masked_number=masked(customer.number),
        entries=_entries(session, ledger_queries.entries_of_customer(session, key, customer, now), titles),
        consents=tuple(_consent(one, names) for one in ledger_queries.consents_of(session, customer.id, now)),
        on_lists=_on_lists(session, customer.number, now),
        budgets=_budgets(session, customer, purpose, now),
        budget_tabs=tuple(
            Choice(word("purpose", one), f"{href}?purpose={one}", one is purpose) for one in Purpose
        ),
        href=href,
        bank_id=customer.external_id or "",
        customer_id=str(customer.id),
        time_zone=customer.time_zone or "",
        decisions_href="/compliance/decisions?" + urlencode({"person": customer.external_id or customer.id}),
        is_frozen=customer.frozen_at is not None,
        done=done,
        **_choices(titles),  # type: ignore[arg-type]
    )


def number_page(session: Session, number: str, now: datetime, done: str | None = None) -> page.PersonPage:
    """Return what stands against a number, and who has it; the number stays in the form, never in an address."""
    head, tabs = gate_frame(session, "ledgers")
    titles = campaign_titles(session)
    having = session.exec(
        select(Customer).where(Customer.number == number).order_by(col(Customer.created_at)).limit(20)
    )
    return page.PersonPage(
        frame=head,
        tabs=tabs,
        name=gettext("A number"),
        masked_number=masked(number),
        number=number,
        entries=_entries(
            session, ledger_queries.entries_of_number(session, gate().number_key, number, now), titles
        ),
        on_lists=_on_lists(session, number, now),
        people=tuple(
            page.PersonLink(f"/compliance/people/{one.id}", person_name(one), one.external_id or "")
            for one in having
        ),
        done=done,
        **_choices(titles),  # type: ignore[arg-type]
    )


def _choices(titles: Mapping[str, str]) -> dict[str, tuple[Option, ...]]:
    return {
        "kinds": tuple(Option(one.value, word("kind", one)) for one in SuppressionKind),
        "purposes": tuple(Option(one.value, word("purpose", one)) for one in Purpose),
        "campaigns": tuple(Option(key, title) for key, title in titles.items()),
    }


def _on_lists(session: Session, number: str | None, now: datetime) -> tuple[page.ListRow, ...]:
    if not number:
        return ()
    keys = {one.key for one in ledger_queries.lists_with(session, gate().number_key, number)}
    rows = [one for one in ledger_queries.lists(session) if one.in_force and one.key in keys]
    return _lists(session, rows, now)


def _names(session: Session) -> Mapping[str, str]:
    return {one.login: one.name for one in session.exec(select(User))}


def _entries(
    session: Session, entries: Sequence[Entry], titles: Mapping[str, str]
) -> tuple[page.EntryRow, ...]:
    waiting = _waiting(session, ChangeKind.LIFT_SUPPRESSION, "suppression_id")
    names = _names(session)
    return tuple(_entry(one, titles, names, one.id in waiting) for one in entries)


def _entry(one: Entry, titles: Mapping[str, str], names: Mapping[str, str], waits: bool) -> page.EntryRow:
    both = one.about_person and one.about_number
    about = gettext("person and number") if both else gettext("person")
    if not one.about_person:
        about = gettext("number")
    lifted = None
    if one.lifted_at is not None:
        by = names.get(one.lifted_by or "", one.lifted_by or gettext("command line"))
        lifted = gettext("Lifted by %(name)s", name=by)
        if one.lift_reason:
            lifted += f": {one.lift_reason}"
    return page.EntryRow(
        id=one.id,
        kind=word("kind", one.kind),
        scope=scope_words(one.scope, one.purpose, one.campaign, titles),
        about=about,
        source=one.source,
        reason=" · ".join(part for part in (one.reason, one.proof) if part),
        created_at=one.created_at,
        by=names.get(one.by, one.by) if one.by else gettext("system"),
        state="in_force" if one.in_force else "lifted" if one.lifted_at else "ended",
        expires_at=one.expires_at,
        lifted=lifted,
        waits=waits,
    )


def _consent(one: ConsentEntry, names: Mapping[str, str]) -> page.ConsentRow:
    return page.ConsentRow(
        id=one.id,
        act=one.act.value,
        purpose=word("purpose", one.purpose),
        text_version=one.text_version,
        proof=one.proof,
        source=one.source,
        at=one.at,
        by=names.get(one.by, one.by) if one.by else gettext("system"),
        stands=one.stands,
        expires_at=one.expires_at,
        last_used_at=one.last_used_at,
    )


def _budgets(
    session: Session, customer: Customer, purpose: Purpose, now: datetime
) -> tuple[page.BudgetRow, ...]:
    ((facts, policy),) = look(session, gate(), [ProposedCall(customer, purpose, "")], now)
    if policy is None:
        return ()
    labels = {
        "person": gettext("Calls to the person"),
        "number": gettext("Calls to the number"),
        "gap": word("figure", "minimum_gap"),
        "talk": word("figure", "conversation_pause"),
    }
    return tuple(
        page.BudgetRow(labels[one.about], length(one.window), one.used, one.calls, one.free_at)
        for one in reads.budgets(facts, policy, now)
    )


def free_words(at: datetime | None, now: datetime) -> str:
    """When a budget has room again."""
    return gettext("free now") if at is None else gettext("free again %(time)s", time=when(at, now))
