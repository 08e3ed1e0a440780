"""What needs a decision now: changes waiting, packs, registries, the clock; and what the gate said lately."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session, col, select

from callcenter.compliance import ledger_queries, reads
from callcenter.compliance.changes import book_with
from callcenter.compliance.number_key import unreadable_lists
from callcenter.compliance.packs import PackBook
from callcenter.compliance.reads import ChangeRead, Lately
from callcenter.dialing.queries import campaigns
from callcenter.domain.enums import BarReason
from callcenter.errors import BadInput
from callcenter.evidence.queries import last_verified
from callcenter.models import AuditEntry, User
from callcenter.web.bars import bar_label
from callcenter.web.compliance_changes import change_row
from callcenter.web.compliance_frame import campaign_titles, gate, gate_frame
from callcenter.web.compliance_words import word
from callcenter.web.counts import ngettext
from callcenter.web.edge import viewer
from callcenter.web.formats import day, when
from callcenter.web.pages import compliance as page

LATELY = timedelta(hours=1)
SOON = timedelta(days=30)
SHOWN_DECIDED = 6
KEEPING_LATE = timedelta(days=2)
"""The chain's head is written down once a day; silence for longer means that nobody seals."""


def overview_page(session: Session, now: datetime) -> page.OverviewPage:
    """Return what needs a decision as of `now`."""
    head, tabs = gate_frame(session, "gate", "/compliance/state")
    kept = session.exec(
        select(AuditEntry).where(AuditEntry.act == "ledger.kept").order_by(col(AuditEntry.id).desc()).limit(1)
    ).first()
    waiting = reads.changes(session, waiting=True)
    lately = reads.lately(session, now - LATELY)
    return page.OverviewPage(
        frame=head,
        tabs=tabs,
        needs=tuple(
            sorted(_needs(session, waiting, lately, kept, now), key=lambda one: one.tone != "urgent")
        ),
        asked=lately.asked,
        allowed=lately.allowed,
        reasons=_shares(lately),
        campaigns=_campaigns(session),
        decided=tuple(
            change_row(session, one) for one in reads.changes(session, waiting=False, limit=SHOWN_DECIDED)
        ),
        kept_at=kept.at if kept else None,
        kept_head=str(kept.detail.get("head", ""))[:24] if kept else "",
    )


def _shares(lately: Lately) -> tuple[page.Share, ...]:
    most = max((many for _, many in lately.reasons), default=1)
    return tuple(
        page.Share(bar_label(code), many, many / most, "/compliance/decisions?" + urlencode({"reason": code}))
        for code, many in lately.reasons
    )


def _campaigns(session: Session) -> tuple[page.CampaignRow, ...]:
    known = campaigns(session)
    names = {one.id: one.name for one in session.exec(select(User))}
    rows = []
    for key, title in sorted(campaign_titles(session).items(), key=lambda one: one[1]):
        row = known.get(key)
        hours = tuple(row.hours) if row and len(row.hours) == 2 else None
        rows.append(
            page.CampaignRow(
                key,
                title,
                row.paused_at if row else None,
                (hours[0], hours[1]) if hours else None,
                row.changed_at if row else None,
                names.get(row.changed_by) if row and row.changed_by else None,
            )
        )
    return tuple(rows)


def _needs(
    session: Session,
    waiting: Sequence[ChangeRead],
    lately: Lately,
    kept: AuditEntry | None,
    now: datetime,
) -> Iterator[page.GateNeed]:
    if ahead := reads.records_ahead(session, now):
        yield page.GateNeed(
            "clock",
            "clock",
            "urgent",
            gettext("The clock was set back"),
            gettext(
                "Records reach to %(time)s. Nobody is called until then, or until somebody confirms the clock.",
                time=when(ahead.newest_at, now),
            ),
        )
    try:
        book = book_with(session, gate().home_packs)
    except BadInput as error:
        yield page.GateNeed(
            "packs",
            "packs",
            "urgent",
            gettext("The packs cannot be read"),
            gettext("Nobody is called. %(what)s", what=error.message),
        )
    else:
        yield from _of_packs(session, book, lately, now)
    if unreadable := unreadable_lists(session, gate().number_key, now):
        yield page.GateNeed(
            "key",
            "key",
            "urgent",
            gettext("Lists were made under another key"),
            gettext(
                "They bar nobody as long as NUMBER_KEY is another one: %(lists)s.",
                lists=gettext(", ").join(unreadable),
            ),
            "/compliance/ledgers",
            gettext("See the lists"),
        )
    if kept is not None and kept.at < now - KEEPING_LATE:
        yield page.GateNeed(
            "chain",
            "chain",
            "watch",
            gettext("The ledgers are not sealed"),
            gettext(
                "The last head of the chain was written on %(day)s. Does a scheduler run?", day=day(kept.at)
            ),
        )
    yield from _of_chain(session, now)
    for one in waiting:
        yield _of_change(session, one)


def _of_chain(session: Session, now: datetime) -> Iterator[page.GateNeed]:
    """The nightly verifying found a ledger changed, or has not been done for days."""
    found = last_verified(session)
    if found is None:
        return
    at, told = found
    if not told["holds"]:
        yield page.GateNeed(
            "broken",
            "chain",
            "urgent",
            ngettext(
                "The ledgers are not as they were sealed: %(num)s fault",
                "The ledgers are not as they were sealed: %(num)s faults",
                int(told["faults"]),
            ),
            gettext(
                "Found on %(day)s: %(what)s. Change nothing, copy the database, and have an administrator run "
                "callcenter audit verify.",
                day=day(at),
                what="; ".join(told["findings"]),
            ),
            "/compliance/audit",
            gettext("See the audit trail"),
        )
    elif at < now - KEEPING_LATE:
        yield page.GateNeed(
            "unverified",
            "chain",
            "watch",
            gettext("The ledgers are not verified any more"),
            gettext("They were last compared with the chain on %(day)s. Does a scheduler run?", day=day(at)),
        )


def _of_change(session: Session, one: ChangeRead) -> page.GateNeed:
    row = change_row(session, one)
    own = one.row.asked_by == viewer().id
    text = (
        gettext("You asked for it; somebody else decides.")
        if own
        else gettext("%(name)s asks: “%(why)s”", name=one.asked_by, why=row.why)
    )
    return page.GateNeed(
        f"change-{row.id}",
        "change",
        "watch",
        row.what,
        text,
        row.href,
        gettext("Look at it") if own else gettext("Look and decide"),
        row.asked_at,
    )


def _of_packs(session: Session, book: PackBook, lately: Lately, now: datetime) -> Iterator[page.GateNeed]:
    for key in book.home:
        if book.in_force(key, now) is None:
            yield page.GateNeed(
                f"home-{key}",
                "packs",
                "urgent",
                gettext("%(pack)s is not in force", pack=key),
                gettext("It applies to every call, so nobody is called until it has a version in force."),
                "/compliance/packs",
                gettext("See the packs"),
            )
    imported = {one.key: one.as_of for one in ledger_queries.lists(session) if one.in_force}
    is_missed = any(code == BarReason.REGISTRY_STALE for code, _ in lately.reasons)
    for key, max_age in _registries(book, now).items():
        as_of = imported.get(key)
        is_home = any(key in _keys(book, pack, now) for pack in book.home)
        if as_of is not None and as_of >= now - max_age:
            continue
        if as_of is None and not (is_home or is_missed):
            continue
        yield page.GateNeed(
            f"registry-{key}",
            "registry",
            "urgent" if is_home or is_missed else "watch",
            gettext("Registry %(key)s is too old", key=key),
            gettext(
                "Our copy is of %(day)s. Calls that need it are barred until a new one is imported.",
                day=day(as_of),
            )
            if as_of
            else gettext("It was never imported. Calls that need it are barred."),
            "/compliance/ledgers",
            gettext("See the lists"),
        )
    for version in sorted(
        (one for versions in book.packs.values() for one in versions if now < one.starts_at < now + SOON),
        key=lambda one: one.starts_at,
    ):
        days = max(1, round((version.starts_at - now) / timedelta(days=1)))
        yield page.GateNeed(
            f"comes-{version.label}",
            "calendar",
            "watch",
            gettext("%(pack)s changes", pack=version.pack),
            ngettext(
                "%(label)s counts in %(num)s day.",
                "%(label)s counts in %(num)s days.",
                days,
                label=version.label,
            ),
            "/compliance/packs?" + urlencode({"pack": version.pack, "version": version.label}),
            gettext("See what changes"),
        )


def _keys(book: PackBook, pack: str, now: datetime) -> set[str]:
    version = book.in_force(pack, now)
    return {one.value.key for one in version.figures if one.name == "registries"} if version else set()


def _registries(book: PackBook, now: datetime) -> dict[str, timedelta]:
    """The registries packs in force ask for, with the shortest age they allow."""
    found: dict[str, timedelta] = {}
    for pack in book.packs:
        version = book.in_force(pack, now)
        for figure in version.figures if version else ():
            if figure.name == "registries":
                registry = figure.value
                found[registry.key] = min(registry.max_age, found.get(registry.key, registry.max_age))
    return found


def registries_of(session: Session, now: datetime) -> dict[str, timedelta]:
    """Return how old each public registry's copy may be; nothing while the packs cannot be read."""
    try:
        return _registries(book_with(session, gate().home_packs), now)
    except BadInput:
        return {}


def purpose_words(code: str | None) -> str:
    """A purpose in words."""
    return word("purpose", code)
