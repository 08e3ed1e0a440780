"""The packs' pages: what is in force and what comes, every figure with its source, a new version being written."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flask_babel import gettext
from sqlmodel import Session

from callcenter.compliance import reads
from callcenter.compliance.changes import TYPED_HERE, book_with, read_proposal
from callcenter.compliance.packs import PackBook
from callcenter.compliance.packs_drafting import text_to_begin_with
from callcenter.compliance.packs_reading import Figure, Version
from callcenter.domain.enums import Purpose
from callcenter.errors import BadInput, NotFound
from callcenter.web.compliance_frame import gate, gate_frame
from callcenter.web.compliance_words import figure_words, listed, pack_title, word
from callcenter.web.formats import day
from callcenter.web.pages import compliance as page

_LINE = re.compile(rf"^{TYPED_HERE}(?: \(put in force here\))?, line (\d+)")
_SHOWN_REGIONS = 4


def packs_page(session: Session, pack: str | None, label: str | None, now: datetime) -> page.PacksPage:
    """Return the list of packs, and of the chosen one the version in force, or the one asked for."""
    head, tabs = gate_frame(session, "packs")
    try:
        book = book_with(session, gate().home_packs)
    except BadInput as error:
        return page.PacksPage(head, tabs, problem=error.message)
    keys = sorted(book.packs, key=lambda key: (key not in book.home, key))
    if pack is not None and pack not in book.packs:
        raise NotFound("There is no such pack.")
    pack = pack or (keys[0] if keys else None)
    rows = tuple(_pack(book, key, key == pack, now) for key in keys)
    if pack is None:
        return page.PacksPage(head, tabs, rows)
    versions = list(book.packs[pack])
    shown = next((one for one in versions if one.label == label), None)
    if label is not None and shown is None:
        raise NotFound("There is no such version.")
    shown = shown or book.in_force(pack, now) or versions[0]
    before = _before(versions, shown)
    return page.PacksPage(
        head,
        tabs,
        rows,
        chosen=next(one for one in rows if one.key == pack),
        versions=_versions(session, book, pack, shown, now),
        figures=tuple(_figure(one) for one in shown.figures),
        differences=differences_of(before, shown) if before else (),
        against=before.label if before else None,
    )


def _before(versions: Sequence[Version], shown: Version) -> Version | None:
    place = versions.index(shown)
    return versions[place - 1] if place else None


def _pack(book: PackBook, key: str, is_chosen: bool, now: datetime) -> page.PackRow:
    in_force = book.in_force(key, now)
    comes = next((one for one in book.packs[key] if one.starts_at > now), None)
    told = in_force or book.packs[key][0]
    regions = sorted(told.regions)
    more = len(regions) - _SHOWN_REGIONS
    words = listed(regions[:_SHOWN_REGIONS])
    return page.PackRow(
        key=key,
        title=pack_title(told.title, key),
        href="/compliance/packs?" + urlencode({"pack": key}),
        regions=gettext("%(regions)s and %(n)s more", regions=words, n=more) if more > 0 else words,
        in_force=in_force.label if in_force else None,
        upcoming=day(comes.valid_from) if comes else None,
        is_home=key in book.home,
        is_chosen=is_chosen,
    )


def _versions(
    session: Session, book: PackBook, pack: str, shown: Version, now: datetime
) -> tuple[page.VersionRow, ...]:
    current = book.in_force(pack, now)
    approved = {(row.pack, row.valid_from): name for row, name in reads.approvals(session)}
    return tuple(
        page.VersionRow(
            label=one.label,
            href="/compliance/packs?" + urlencode({"pack": pack, "version": one.label}),
            valid_from=one.valid_from.isoformat(),
            state="in_force" if one is current else "upcoming" if one.starts_at > now else "past",
            approved=approved.get((pack, one.valid_from)),
            is_chosen=one is shown,
        )
        for one in reversed(book.packs[pack])
    )


def _figure(figure: Figure) -> page.FigureRow:
    return page.FigureRow(
        name=word("figure", figure.name),
        says=figure_words(figure.name, figure.value),
        about=about_words(figure),
        source=figure.source,
        note=figure.note,
    )


def about_words(figure: Figure) -> str:
    """For which calls a figure counts; empty for all of its pack's."""
    parts = []
    if figure.purposes != frozenset(Purpose):
        parts.append(listed([word("purpose", one) for one in Purpose if one in figure.purposes]))
    if figure.regions:
        parts.append(listed(sorted(figure.regions)))
    return " · ".join(parts)


_Place = tuple[str, str]


def differences_of(before: Version | None, after: Version) -> tuple[page.Difference, ...]:
    """Say figure by figure what a version changes against another, or holds when there is none."""
    old, new = (_by_place(one.figures if one else ()) for one in (before, after))
    found = []
    for place in dict.fromkeys((*new, *old)):
        name, about = word("figure", place[0]), place[1]
        was, says = old.get(place, ()), new.get(place, ())
        gone = [one for one in was if one not in says]
        come = [one for one in says if one not in was]
        for earlier, later in zip(gone, come, strict=False):
            found.append(page.Difference("changed", name, about, earlier, later))
        found += [page.Difference("removed", name, about, one) for one in gone[len(come) :]]
        found += [page.Difference("added", name, about, "", one) for one in come[len(gone) :]]
    if before is not None and before.regions != after.regions:
        said = [listed(sorted(one.regions)) for one in (before, after)]
        found.insert(0, page.Difference("changed", gettext("Applies to"), "", *said))
    return tuple(found)


def _by_place(figures: Iterable[Figure]) -> Mapping[_Place, Sequence[str]]:
    found: dict[_Place, list[str]] = {}
    for one in figures:
        found.setdefault((one.name, about_words(one)), []).append(figure_words(one.name, one.value))
    return found


def proposal_page(session: Session, pack: str, now: datetime) -> page.ProposalPage:
    """Return the form of a new version, which begins with what is in force, valid from tomorrow."""
    head, tabs = gate_frame(session, "packs")
    text = text_to_begin_with(session, gate().home_packs, pack, (now + timedelta(days=1)).date(), now)
    return page.ProposalPage(head, tabs, pack, text)


def checked_proposal(
    session: Session, pack: str, text: str, why: str, now: datetime, why_problem: str | None = None
) -> page.ProposalPage:
    """Return the form as typed, with what is wrong on which line, else with what the text would change."""
    head, tabs = gate_frame(session, "packs")
    text = text.replace("\r\n", "\n")
    try:
        new, follows = read_proposal(session, gate().home_packs, text, now)
    except BadInput as error:
        found = _LINE.match(error.message)
        line = int(found[1]) if found else None
        lines = text.split("\n")
        return page.ProposalPage(
            head,
            tabs,
            pack,
            text,
            why,
            problem=error.message.removeprefix(f"{TYPED_HERE}, "),
            line=line,
            shown_line=lines[line - 1] if line and line <= len(lines) else "",
            why_problem=why_problem,
        )
    versions = book_with(session, gate().home_packs).packs.get(new.pack, ())
    before = next((one for one in versions if one.label == follows), None)
    return page.ProposalPage(
        head,
        tabs,
        new.pack,
        text,
        why,
        label=new.label,
        against=follows,
        differences=differences_of(before, new),
        why_problem=why_problem,
    )
